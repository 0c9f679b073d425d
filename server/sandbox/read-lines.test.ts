import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readLines } from "./read-lines.ts";

test("lines come whole, however they are cut", async () => {
  const stream = new PassThrough();
  const lines: (string | undefined)[] = [];
  readLines(stream, 100, (line) => lines.push(line));
  for (const byte of Buffer.from("one\ntwö\n\nrest")) stream.write(Buffer.from([byte]));
  stream.end();
  await once(stream, "end");
  expect(lines).toEqual(["one", "twö", ""]);
});

test("a line without end is given up", async () => {
  const stream = new PassThrough();
  const lines: (string | undefined)[] = [];
  readLines(stream, 10, (line) => lines.push(line));
  stream.write("x".repeat(11));
  await once(stream, "close");
  expect(lines).toEqual([undefined]);
});
