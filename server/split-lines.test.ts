import fc from "fast-check";
import { expect, it } from "vitest";
import { splitLines } from "./split-lines.ts";

function feed(chunks: Uint8Array[], maxBytes: number) {
  const lines: string[] = [];
  let tooLong = 0;
  const push = splitLines({ maxBytes, onLine: (line) => lines.push(line), onTooLong: () => tooLong++ });
  for (const chunk of chunks) push(chunk);
  return { lines, tooLong };
}

it("gives the same lines however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.array(fc.nat(40)), (texts, cuts) => {
      const lines = texts.map((text) => JSON.stringify(text));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks: Uint8Array[] = [];
      let from = 0;
      for (const cut of cuts) {
        chunks.push(bytes.subarray(from, from + cut));
        from += cut;
      }
      chunks.push(bytes.subarray(from));
      expect(feed(chunks, 1_000_000).lines).toEqual(lines.map((line) => Buffer.from(line).toString("utf8")));
    }),
  );
});

it("drops a line over the limit, tells once, and goes on with the next", () => {
  const chunks = [Buffer.from("12345"), Buffer.from("678901"), Buffer.from("2345\nnext\r\n\n"), Buffer.from("last")];
  expect(feed(chunks, 10)).toEqual({ lines: ["next"], tooLong: 1 });
});
