import { binaryToBytes, bytesToBinary, toBytes } from "./bytes.ts";
import { DOMException } from "./dom-exception.ts";
import { compute } from "./host.ts";
import { fillRandom } from "./random.ts";

/** As the standard has it: at most this many bytes at a time. */
const maxRandom = 65_536;

function getRandomValues<T extends ArrayBufferView>(view: T): T {
  if (!ArrayBuffer.isView(view)) throw new TypeError("an integer typed array is needed");
  if (view instanceof Float32Array || view instanceof Float64Array || view instanceof DataView)
    throw new DOMException("an integer typed array is needed", "TypeMismatchError");
  if (view.byteLength > maxRandom) throw new DOMException(`at most ${maxRandom} bytes at a time`, "QuotaExceededError");
  fillRandom(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return view;
}

function randomUUID(): string {
  const bytes = new Uint8Array(16);
  fillRandom(bytes);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

async function digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
  const name = typeof algorithm === "string" ? algorithm : algorithm.name;
  return binaryToBytes(compute("digest", bytesToBinary(toBytes(data)), String(name))).buffer;
}

export const crypto = Object.freeze({ getRandomValues, randomUUID, subtle: Object.freeze({ digest }) });
