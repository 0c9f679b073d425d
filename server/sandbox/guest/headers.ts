import { isIterable, partsOf } from "./is-iterable.ts";

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const forbiddenValue = /[\0\r\n]|[^\0-\xff]/;

function normalName(name: unknown): string {
  const text = String(name);
  if (!tokenPattern.test(text)) throw new TypeError(`"${text}" is no valid header name`);
  return text.toLowerCase();
}

function normalValue(value: unknown): string {
  const text = String(value).replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, "");
  if (forbiddenValue.test(text))
    throw new TypeError("a header value holds a line break, NUL or a character outside of Latin-1");
  return text;
}

/** Headers of the Fetch standard: names in lower case, sorted, equal names joined but for set-cookie. */
export class Headers {
  #list: [string, string][] = [];

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("headers must be an object, a list of pairs or Headers");
    const entries = isIterable(init) ? init : Object.entries(init);
    for (const entry of entries) {
      const pair = partsOf(entry);
      if (pair.length !== 2) throw new TypeError("each header must be a [name, value] pair");
      this.append(pair[0], pair[1]);
    }
  }

  append(name: unknown, value: unknown): void {
    this.#list.push([normalName(name), normalValue(value)]);
  }

  delete(name: unknown): void {
    const normal = normalName(name);
    this.#list = this.#list.filter(([known]) => known !== normal);
  }

  get(name: unknown): string | null {
    const normal = normalName(name);
    const values = this.#list.filter(([known]) => known === normal).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }

  getSetCookie(): string[] {
    return this.#list.filter(([known]) => known === "set-cookie").map(([, value]) => value);
  }

  has(name: unknown): boolean {
    const normal = normalName(name);
    return this.#list.some(([known]) => known === normal);
  }

  set(name: unknown, value: unknown): void {
    const checked = normalValue(value);
    this.delete(name);
    this.append(name, checked);
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of [...new Set(this.#list.map(([known]) => known))].sort()) {
      if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
      else yield [name, this.get(name) ?? ""];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}
