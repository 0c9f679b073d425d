import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../sha256.ts";

/** The guest runtime as one script. `version` changes whenever its code does, and is kept with every attempt. */
export type GuestBundle = Readonly<{ path: string; version: string }>;

/**
 * Where the program is compiled the script lies ready beside this file; in a clone it is bundled with esbuild, once per
 * process, into `cacheDir` under a name that holds its hash.
 */
export async function buildGuestBundle(cacheDir: string): Promise<GuestBundle> {
  const packaged = fileURLToPath(new URL("./guest.js", import.meta.url));
  if (existsSync(packaged)) return { path: packaged, version: versionOf(await readFile(packaged, "utf8")) };
  const script = await bundleGuest(fileURLToPath(new URL("./guest/main.ts", import.meta.url)));
  const version = versionOf(script);
  const path = join(cacheDir, `${version}.js`);
  await mkdir(cacheDir, { recursive: true });
  if (!existsSync(path)) {
    // Under a name of its own first, so that another process never reads half a file.
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, script);
    await rename(temporary, path);
  }
  return { path, version };
}

function versionOf(script: string): string {
  return `guest-${sha256(script).slice("sha256:".length, "sha256:".length + 12)}`;
}

/** The text of the guest runtime with zod inside. The package's build writes it beside the compiled program. */
export async function bundleGuest(entry: string): Promise<string> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2024",
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "silent",
    tsconfigRaw: "{}",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error("esbuild gave no output for the guest runtime");
  return file.text;
}
