import { encodeUtf8, toBytes } from "./bytes.ts";
import type { Headers } from "./headers.ts";
import { TextDecoder } from "./text.ts";
import { URLSearchParams } from "./url.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes and content type of what a job gives as a body. */
export function readBody(body: unknown): { bytes: Bytes; type: string | null } {
  if (body instanceof URLSearchParams)
    return { bytes: encodeUtf8(body.toString()), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return { bytes: toBytes(body), type: null };
  return { bytes: encodeUtf8(String(body)), type: "text/plain;charset=UTF-8" };
}

/** What Request and Response share: a body that can be read once. */
export class Body {
  #bytes: Bytes | null;
  #used = false;
  readonly #headersOf: () => Headers;

  constructor(bytes: Bytes | null, headersOf: () => Headers) {
    this.#bytes = bytes;
    this.#headersOf = headersOf;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  /** For the runtime: the bytes, marked as read. */
  takeBytes(): Bytes | null {
    if (this.#used) throw new TypeError("the body was read already");
    if (this.#bytes !== null) this.#used = true;
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes;
  }

  copyBytes(): Bytes | null {
    if (this.#used) throw new TypeError("the body was read already");
    return this.#bytes?.slice() ?? null;
  }

  async bytes(): Promise<Bytes> {
    return this.takeBytes() ?? new Uint8Array(0);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** Not in the standard's words: forms and blobs are left out, and this says so. */
  async formData(): Promise<never> {
    throw new TypeError(
      `formData is not available in a job (content type ${this.#headersOf().get("content-type")}); use text()`,
    );
  }
}
