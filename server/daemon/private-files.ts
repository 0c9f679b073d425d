import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Home } from "../home.ts";
import { replaceFile } from "../private-file.ts";

/** Makes the home folder and its `keys` readable by their owner alone. */
export function preparePrivateFolders(home: Home): void {
  for (const folder of [home.root, dirname(home.personToken)]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // mkdir leaves the mode of a folder that is there already.
    chmodSync(folder, 0o700);
  }
}

/** The token in the file; made on the first call, mode 0600. */
export function ensureToken(path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    if (token.length >= 32) return token;
  } catch {
    // The first start.
  }
  const token = randomBytes(32).toString("base64url");
  replaceFile(path, `${token}\n`);
  return token;
}
