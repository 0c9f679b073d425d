import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isBuilt, programRoot } from "../home.ts";
import { withEsbuild } from "../with-esbuild.ts";
import { nameByContent, writeCachedScript } from "./cached-script.ts";

/**
 * The path of the runner's program, one file of JavaScript: a runner keeps no cache of compiled code, and to strip types would take as
 * long as all the rest of its start. A daemon keeps its own, whatever is installed while it runs.
 */
export async function runnerScript(cacheDir: string): Promise<string> {
  const text = isBuilt
    ? await readFile(join(programRoot, "server", "sandbox", "child.mjs"), "utf8")
    : await bundleRunner();
  // From a folder elsewhere it is found by its path alone.
  const isolatedVm = pathToFileURL(createRequire(import.meta.url).resolve("isolated-vm")).href;
  const script = text.replace('from "isolated-vm"', () => `from ${JSON.stringify(isolatedVm)}`);
  return writeCachedScript(cacheDir, `${nameByContent("runner", script)}.mjs`, script);
}

/** The text of the runner's program, from its sources. */
export async function bundleRunner(): Promise<string> {
  const { outputFiles } = await withEsbuild(({ build }) =>
    build({
      entryPoints: [join(programRoot, "server", "sandbox", "child.ts")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node24",
      external: ["isolated-vm"],
      logLevel: "silent",
      tsconfigRaw: "{}",
    }),
  );
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild gave no output for the runner");
  return file.text;
}
