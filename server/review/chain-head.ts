import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { readPrivateFile, replaceFile } from "../private-file.ts";

const headSchema = z.strictObject({ seq: z.int().nonnegative(), hash: z.string() });

/** The last decision of a chain; `seq` is for people, `hash` is what counts. */
export type ChainHead = Readonly<z.infer<typeof headSchema>>;

/** The highest head that this machine has seen, undefined before the first. Throws `key_unsafe`, `chain_broken`. */
export function readChainHead(home: Home): ChainHead | undefined {
  const text = readPrivateFile(home.chainHead);
  if (text === undefined) return undefined;
  try {
    return parseChainHead(text);
  } catch (cause) {
    throw new UserError("chain_broken", `${home.chainHead} cannot be read, so a cut-off chain would go unnoticed.`, {
      next: `look at the decisions (jr keys list); if they are complete, remove ${home.chainHead}`,
      cause,
    });
  }
}

/** The head in the text of such a file. */
export function parseChainHead(text: string): ChainHead {
  return headSchema.parse(JSON.parse(text));
}

/** Remembers a head, durably. */
export function writeChainHead(home: Home, head: ChainHead): void {
  replaceFile(home.chainHead, `${JSON.stringify(head)}\n`);
}
