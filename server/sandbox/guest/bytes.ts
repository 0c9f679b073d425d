import { compute } from "./host.ts";

/*
 * Bytes cross to the host as strings with one character per byte.
 */

const chunk = 8192;

export function bytesToBinary(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += chunk) text += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return text;
}

export function binaryToBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** UTF-8, lone surrogates replaced as the Encoding standard says. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return binaryToBytes(compute("utf8", text));
}

export function encodeBase64(bytes: Uint8Array): string {
  return compute("base64", bytesToBinary(bytes));
}

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return binaryToBytes(compute("unbase64", text));
}

/** A copy of the bytes of a string, buffer or view. */
export function toBytes(data: unknown): Uint8Array<ArrayBuffer> {
  if (typeof data === "string") return encodeUtf8(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
  throw new TypeError("a string, ArrayBuffer or typed array is needed");
}
