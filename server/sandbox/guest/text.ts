import { bytesToBinary, encodeUtf8, toBytes } from "./bytes.ts";
import { DOMException } from "./dom-exception.ts";
import { compute } from "./host.ts";

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    return encodeUtf8(String(text));
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

/** How many bytes at the end begin a UTF-8 character that is not complete yet. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

export class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #held = new Uint8Array(0);
  #started = false;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
    this.encoding = compute("encoding", String(label));
  }

  decode(data?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    let bytes = data === undefined ? new Uint8Array(0) : toBytes(data);
    const stream = options.stream === true;
    if (stream && this.encoding !== "utf-8")
      throw new DOMException("only UTF-8 can be decoded in parts", "NotSupportedError");
    if (this.#held.length > 0) {
      const joined = new Uint8Array(this.#held.length + bytes.length);
      joined.set(this.#held);
      joined.set(bytes, this.#held.length);
      bytes = joined;
    }
    const hold = stream ? incompleteTail(bytes) : 0;
    this.#held = bytes.slice(bytes.length - hold);
    const whole = bytes.subarray(0, bytes.length - hold);
    const ignoreBOM = this.ignoreBOM || this.#started;
    this.#started = stream && (this.#started || whole.length > 0);
    const flags = `${this.fatal ? "f" : ""}${ignoreBOM ? "b" : ""}`;
    return compute("decode", bytesToBinary(whole), `${this.encoding}|${flags}`);
  }
}

export function btoa(text: string): string {
  const binary = String(text);
  for (let i = 0; i < binary.length; i++)
    if (binary.charCodeAt(i) > 255)
      throw new DOMException("a character is outside of Latin-1", "InvalidCharacterError");
  return compute("base64", binary);
}

export function atob(text: string): string {
  return compute("atob", String(text));
}
