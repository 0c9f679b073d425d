import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { withEsbuild } from "../with-esbuild.ts";
import { nameByContent, writeCachedScript } from "./cached-script.ts";

/**
 * The path of the runner's program in JavaScript. The package has it. In a clone it is made of child.ts: a runner keeps no cache of
 * compiled code, and to strip types would take as long as all the rest of its start.
 */
export async function runnerScript(cacheDir: string): Promise<string> {
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return here("./child.js");
  const { outputFiles } = await withEsbuild(({ build }) =>
    build({
      entryPoints: [here("./child.ts")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node24",
      plugins: [isolatedVm],
      logLevel: "silent",
      tsconfigRaw: "{}",
    }),
  );
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild gave no output for the runner");
  return writeCachedScript(cacheDir, `${nameByContent("runner", file.text)}.mjs`, file.text);
}

/** From a folder elsewhere it is found by its path alone. */
const isolatedVm: Plugin = {
  name: "isolated-vm",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^isolated-vm$/ }, () => ({
      path: pathToFileURL(createRequire(import.meta.url).resolve("isolated-vm")).href,
      external: true,
    }));
  },
};
