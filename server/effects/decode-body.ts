import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";
import { UserError } from "../errors.ts";
import { networkError } from "./network-error.ts";

const decoders = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  raw: promisify(inflateRaw),
  br: promisify(brotliDecompress),
};
/** More layers than any server sends; each would cost a whole decoding. */
const maxLayers = 3;

/** Undoes `content-encoding`. Throws `limit_exceeded` before more than `maxBytes` come out of it. */
export async function decodeBody(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const layers = encoding
    .toLowerCase()
    .split(",")
    .map((layer) => layer.trim())
    .filter((layer) => layer !== "" && layer !== "identity")
    .reverse();
  if (body.length === 0 || layers.length === 0) return body;
  if (layers.length > maxLayers) throw networkError(`the response is encoded ${layers.length} times`);
  let decoded = body;
  for (const layer of layers) decoded = await decodeLayer(decoded, layer, maxBytes);
  return decoded;
}

/** What a too long response answers with, wherever it is noticed. */
export function responseTooLarge(maxBytes: number): UserError {
  return new UserError(
    "limit_exceeded",
    `The response has more than ${maxBytes} bytes, which is this job's limit; limits.responseBytes in defineJob raises it.`,
  );
}

async function decodeLayer(body: Buffer, layer: string, maxBytes: number): Promise<Buffer> {
  const decode = decoderOf(layer, body);
  if (decode === undefined) throw networkError(`the response has the unknown content-encoding "${layer.slice(0, 40)}"`);
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE")
      throw responseTooLarge(maxBytes);
    throw networkError(`the response is not valid ${layer}`, error);
  }
}

function decoderOf(layer: string, body: Buffer) {
  switch (layer) {
    case "gzip":
    case "x-gzip":
      return decoders.gzip;
    case "deflate":
      // The standard means zlib's format; some servers send the bare stream.
      return ((body[0] ?? 0) & 0x0f) === 8 ? decoders.deflate : decoders.raw;
    case "br":
      return decoders.br;
    default:
      return undefined;
  }
}
