/*
 * The tar format, as far as a backup needs it: plain files, in order, with pax headers for long names and large sizes. Any tar
 * program reads what this writes. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 */

const block = 512;
const longestName = 100;
const largestOctal = 0o77777777777;
/** A pax header of ours holds a path and a size. */
const largestPax = 64 * 1024;

/** One file of an archive while it is read; its content must be read to its end before the next one. */
export type TarEntry = Readonly<{ name: string; size: number; content: AsyncIterable<Buffer> }>;

/** What goes before a file's content. */
export function tarHeader(name: string, size: number, mode = 0o600): Buffer {
  const plain = Buffer.byteLength(name) <= longestName && /^[\x20-\x7e]*$/.test(name) && size <= largestOctal;
  if (plain) return headerBlock(name, size, "0", mode);
  const pax = Buffer.from(paxRecord("path", name) + paxRecord("size", String(size)));
  const short = name.replace(/[^\x20-\x7e]/g, "_").slice(-longestName);
  return Buffer.concat([
    headerBlock("pax", pax.length, "x", mode),
    pax,
    tarPadding(pax.length),
    headerBlock(short, Math.min(size, largestOctal), "0", mode),
  ]);
}

/** What goes behind a file's content. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What ends an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * block);

/** The files of an archive in order. Throws where it is cut off or holds anything but plain files. */
export async function* readTar(bytes: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = createReader(bytes);
  let pax: Partial<Record<string, string>> = {};
  for (;;) {
    const header = await reader.exactly(block);
    if (header.every((byte) => byte === 0)) {
      const second = await reader.exactly(block);
      if (!second.every((byte) => byte === 0)) throw new Error("the archive's end is damaged");
      await reader.drain();
      return;
    }
    const { name, size, type } = readHeader(header);
    if (type === "x") {
      if (size > largestPax) throw new Error("the archive holds a header that is too large");
      pax = readPax(await reader.exactly(size));
      await reader.exactly(tarPadding(size).length);
      continue;
    }
    if (type !== "0") throw new Error(`the archive holds something that is no plain file: ${name}`);
    const wanted = pax.size === undefined ? size : Number(pax.size);
    if (!Number.isSafeInteger(wanted) || wanted < 0) throw new Error("the archive holds a size that makes no sense");
    yield { name: pax.path ?? name, size: wanted, content: reader.upTo(wanted) };
    if (reader.left() > 0) throw new Error(`${name} was not read to its end`);
    await reader.exactly(tarPadding(wanted).length);
    pax = {};
  }
}

/** The content of an entry in one piece. Throws where it is longer than `most`. */
export async function wholeEntry({ name, size, content }: TarEntry, most: number): Promise<Buffer> {
  if (size > most) throw new Error(`${name} is too large: ${size} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function headerBlock(name: string, size: number, type: "0" | "x", mode: number): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0, longestName, "latin1");
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("00000000000\0", 136, "latin1");
  header.write(type, 156, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** The sum of all bytes, with spaces where it will stand itself. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function readHeader(header: Buffer): { name: string; size: number; type: string } {
  const text = (from: number, length: number) => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.subarray(0, end === -1 ? length : end).toString("latin1");
  };
  const octal = (from: number, length: number) => Number.parseInt(text(from, length).trim() || "0", 8);
  if (octal(148, 8) !== checksum(header)) throw new Error("the archive is damaged: a header's checksum is wrong");
  return { name: text(0, longestName), size: octal(124, 12), type: text(156, 1) };
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = String(bytes + String(bytes).length).length;
  return `${bytes + digits}${rest}`;
}

function readPax(bytes: Buffer): Partial<Record<string, string>> {
  const records: Partial<Record<string, string>> = {};
  for (let at = 0; at < bytes.length; ) {
    const [length = ""] = /^\d{1,6}(?= )/.exec(bytes.subarray(at, at + 7).toString("latin1")) ?? [];
    const end = at + Number(length);
    if (length === "" || end > bytes.length) throw new Error("the archive is damaged: a pax header makes no sense");
    const record = bytes.subarray(at + length.length + 1, end - 1).toString();
    const equals = record.indexOf("=");
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at = end;
  }
  return records;
}

/** Cuts a stream into pieces of the sizes that are asked for. */
function createReader(bytes: AsyncIterable<Buffer>) {
  const iterator = bytes[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;

  async function more(): Promise<void> {
    const { value, done } = await iterator.next();
    if (done) throw new Error("the archive is cut off");
    rest = value;
  }
  return {
    left: () => left,
    async exactly(size: number): Promise<Buffer> {
      const pieces: Buffer[] = [];
      for (let wanted = size; wanted > 0; ) {
        if (rest.length === 0) await more();
        const piece = rest.subarray(0, wanted);
        rest = rest.subarray(piece.length);
        wanted -= piece.length;
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    },
    async *upTo(size: number): AsyncGenerator<Buffer> {
      left = size;
      while (left > 0) {
        if (rest.length === 0) await more();
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    },
    /** To the stream's end, so that what checks the whole of it (gzip's own sum) has its say. */
    async drain(): Promise<void> {
      rest = Buffer.alloc(0);
      for (;;) if ((await iterator.next()).done) return;
    },
  };
}
