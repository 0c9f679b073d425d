import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { isBuilt, programRoot } from "../home.ts";
import { withEsbuild } from "../with-esbuild.ts";
import { nameByContent, writeCachedScript } from "./cached-script.ts";
import { joinGuestScripts } from "./guest-scripts.ts";

/** The guest runtime as one script. `version` changes whenever its code does, and is kept with every attempt. */
export type GuestBundle = Readonly<{ path: string; version: string }>;

const versionName = /^(guest-[0-9a-f]{32})\.js$/;

/**
 * The guest runtimes that can be run here, the newest first: that of this program, and those of programs that ran before with the
 * same `cacheDir`, so that what they have suspended can go on. The script is bundled with esbuild where the program has not been built.
 */
export async function guestBundles(cacheDir: string): Promise<[GuestBundle, ...GuestBundle[]]> {
  const script = isBuilt
    ? await readFile(join(programRoot, "server", "sandbox", "guest.js"), "utf8")
    : await bundleGuest();
  const version = versionOf(script);
  const path = await writeCachedScript(cacheDir, `${version}.js`, script);
  return [{ path, version }, ...(await olderBundles(cacheDir, version))];
}

/** Files whose content is what their name says. */
async function olderBundles(cacheDir: string, newest: string): Promise<GuestBundle[]> {
  const found: (GuestBundle & { at: number })[] = [];
  for (const name of await readdir(cacheDir)) {
    const version = versionName.exec(name)?.[1];
    if (version === undefined || version === newest) continue;
    const path = join(cacheDir, name);
    if (versionOf(await readFile(path, "utf8")) !== version) continue;
    found.push({ path, version, at: (await stat(path)).mtimeMs });
  }
  return found.sort((a, b) => b.at - a.at).map(({ path, version }) => ({ path, version }));
}

function versionOf(script: string): string {
  return nameByContent("guest", script);
}

/** The text of the guest runtime, zod and what is ours, from its sources. */
export async function bundleGuest(): Promise<string> {
  const folder = join(programRoot, "server", "sandbox", "guest");
  const [zod, main] = await Promise.all([bundle(join(folder, "zod.ts"), true), bundle(join(folder, "main.ts"), false)]);
  return joinGuestScripts({ zod, main });
}

/** What nobody asks for is left out of whatever is bundled: zod's messages in fifty languages, which are half of it. */
export const englishOnly: Plugin = {
  name: "english-only",
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};

async function bundle(entry: string, minifyIdentifiers: boolean): Promise<string> {
  const result = await withEsbuild(({ build }) =>
    build({
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
      minifyIdentifiers,
      plugins: [englishOnly],
      logLevel: "silent",
      tsconfigRaw: "{}",
    }),
  );
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error("esbuild gave no output for the guest runtime");
  return file.text;
}
