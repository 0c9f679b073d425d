import { compute } from "./host.ts";
import { isIterable, partsOf } from "./is-iterable.ts";

/*
 * URLs are parsed by the host, which follows the URL standard; here stand the objects around the result.
 */

type Pair = [name: string, value: string];
type Parts = Record<
  | "href"
  | "origin"
  | "protocol"
  | "username"
  | "password"
  | "host"
  | "hostname"
  | "port"
  | "pathname"
  | "search"
  | "hash",
  string
>;

const onChange = new WeakMap<URLSearchParams, (query: string) => void>();

function pairsOf(init: unknown): Pair[] {
  if (init === undefined || init === null) return [];
  if (typeof init !== "object") return JSON.parse(compute("query.parse", String(init)));
  const entries: Iterable<unknown> = isIterable(init) ? init : Object.entries(init);
  return Array.from(entries, (entry): Pair => {
    const pair = partsOf(entry).map((part) => String(part).toWellFormed());
    if (pair.length !== 2) throw new TypeError("each query pair must be an iterable [name, value] tuple");
    return [pair[0] ?? "", pair[1] ?? ""];
  });
}

export class URLSearchParams {
  #pairs: Pair[];

  constructor(init?: unknown) {
    this.#pairs = pairsOf(init);
  }

  #changed(): void {
    onChange.get(this)?.(this.toString());
  }

  /** The owning URL replaces the pairs when its query is set. */
  static replacePairs(params: URLSearchParams, query: string): void {
    params.#pairs = pairsOf(query);
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name).toWellFormed(), String(value).toWellFormed()]);
    this.#changed();
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== String(value)));
    this.#changed();
  }

  get(name: string): string | null {
    return this.#pairs.find(([n]) => n === String(name))?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([n]) => n === String(name)).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some(([n, v]) => n === String(name) && (value === undefined || v === String(value)));
  }

  set(name: string, value: string): void {
    const at = this.#pairs.findIndex(([n]) => n === String(name));
    if (at < 0) {
      this.append(name, value);
      return;
    }
    const rest = this.#pairs.slice(at + 1).filter(([n]) => n !== String(name));
    this.#pairs = [...this.#pairs.slice(0, at), [String(name), String(value).toWellFormed()], ...rest];
    this.#changed();
  }

  /** Stable, by UTF-16 code units of the names. */
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
  }

  *entries(): IterableIterator<Pair> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries();
  }

  toString(): string {
    return compute("query.format", JSON.stringify(this.#pairs));
  }

  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }
}

const { replacePairs } = URLSearchParams;
Reflect.deleteProperty(URLSearchParams, "replacePairs");

function parse(href: string, base: string | undefined): Parts {
  return JSON.parse(compute("url", href, base === undefined ? "" : `=${base}`));
}

export class URL {
  /** Defined below, like the other parts. */
  declare readonly username: string;
  declare readonly password: string;
  #parts: Parts;
  #params: URLSearchParams | undefined;

  constructor(href: unknown, base?: unknown) {
    this.#parts = parse(String(href), base === undefined ? undefined : String(base));
  }

  static parse(href: unknown, base?: unknown): URL | null {
    try {
      return new URL(href, base);
    } catch {
      return null;
    }
  }

  static canParse(href: unknown, base?: unknown): boolean {
    return URL.parse(href, base) !== null;
  }

  static write(url: URL, name: keyof Parts, value: unknown): void {
    url.#parts = JSON.parse(compute("url.set", JSON.stringify([url.#parts.href, name]), String(value)));
    if (url.#params !== undefined && (name === "href" || name === "search"))
      replacePairs(url.#params, url.#parts.search);
  }

  static read(url: URL, name: keyof Parts): string {
    return url.#parts[name];
  }

  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.#parts.search);
      onChange.set(this.#params, (query) => {
        this.#parts = JSON.parse(compute("url.set", JSON.stringify([this.#parts.href, "search"]), query));
      });
    }
    return this.#params;
  }

  toString(): string {
    return this.#parts.href;
  }

  toJSON(): string {
    return this.#parts.href;
  }

  get [Symbol.toStringTag](): string {
    return "URL";
  }
}

const { read, write } = URL;
const names = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;
for (const name of names) {
  const get = function (this: URL) {
    return read(this, name);
  };
  const set = function (this: URL, value: unknown) {
    write(this, name, value);
  };
  Object.defineProperty(URL.prototype, name, {
    get,
    ...(name === "origin" ? {} : { set }),
    enumerable: true,
    configurable: true,
  });
}
Reflect.deleteProperty(URL, "read");
Reflect.deleteProperty(URL, "write");
