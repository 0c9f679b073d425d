import { z } from "zod";
import { type ErrorCode, errorCodes, messageOf, UserError } from "../errors.ts";
import { dumpStore, type StoreSummary, storeSummary } from "../store/dump-store.ts";
import type { Db } from "../store/open-store.ts";
import { storePartName, summaryName, tableOfPart } from "./archive-format.ts";
import { spool } from "./spool.ts";
import { readTar, tarEnd, tarHeader, tarPadding, wholeEntry } from "./tar.ts";
import type { StoreSource } from "./write-backup.ts";

const failureName = "failure.json";
const failure = z.object({ code: z.string(), message: z.string() });
const longestPart = 512 * 1024 * 1024;

/** Every row of a store as of one moment, as a tar, for a client of the person's door. A failure on the way is its last part. */
export async function* streamStore(db: Db, folder: string): AsyncGenerator<Buffer> {
  yield* spool(folder, async (write) => {
    const add = async (name: string, text: string) => {
      const bytes = Buffer.from(text);
      await write(tarHeader(name, bytes.length));
      await write(bytes);
      await write(tarPadding(bytes.length));
    };
    let n = 0;
    try {
      const summary = await dumpStore(db, ({ table, lines }) => add(storePartName(table, ++n), lines));
      await add(summaryName, JSON.stringify(summary));
    } catch (thrown) {
      const code = thrown instanceof UserError ? thrown.code : "store_unavailable";
      await add(failureName, JSON.stringify({ code, message: messageOf(thrown) }));
    }
    await write(tarEnd);
  });
}

/** The other end: a store's rows from such a stream. Throws what the sender met, and a plain Error where the stream is cut off. */
export async function receiveStore(
  stream: AsyncIterable<Buffer>,
  write: Parameters<StoreSource["dump"]>[0],
): Promise<StoreSummary> {
  let summary: StoreSummary | undefined;
  for await (const entry of readTar(stream)) {
    const text = (await wholeEntry(entry, longestPart)).toString();
    const table = tableOfPart(entry.name);
    if (table !== undefined) await write({ table, lines: text });
    else if (entry.name === summaryName) summary = storeSummary.parse(JSON.parse(text));
    else if (entry.name === failureName) throw asError(failure.parse(JSON.parse(text)));
  }
  if (summary === undefined) throw new Error("the daemon's answer holds no summary");
  return summary;
}

function asError({ code, message }: z.infer<typeof failure>): Error {
  const isCode = (text: string): text is ErrorCode => Object.hasOwn(errorCodes, text);
  return isCode(code) ? new UserError(code, `The daemon could not read its store: ${message}`) : new Error(message);
}
