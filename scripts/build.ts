import { copyFileSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { packageRoot } from "../server/home.ts";
import { bundleGuest, englishOnly } from "../server/sandbox/guest-bundle.ts";
import { bundleRunner } from "../server/sandbox/runner-script.ts";

/*
 * Builds the program into dist/: bundled, since each file that a start finds, reads and links by itself costs about as much as its code.
 * Made elsewhere first, so that a program that starts meanwhile finds the old one, the new one, or for a moment the sources.
 */
const at = (...path: string[]) => join(packageRoot, ...path);
const made = at(".cache", `dist-${process.pid}`);

/** Packages that bring a program of their own, or find their other files by where they stand. */
const unbundled = ["@electric-sql/pglite", "esbuild", "isolated-vm", "typescript"];

/** What CommonJS packages among the bundled ones call. */
const banner = `import { createRequire as createRequireHere } from "node:module";
const require = createRequireHere(import.meta.url);`;

// Before anything is read: who saves a source meanwhile has changed what was built.
const stamps = stampsOf(ownSources());
rmSync(made, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: packageRoot,
  entryPoints: ["server/main.ts", "server/agents/child.ts"],
  outbase: ".",
  outdir: made,
  chunkNames: "server/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external: [...unbundled, "pg-native"],
  banner: { js: banner },
  plugins: [englishOnly],
  metafile: true,
  logLevel: "warning",
});
mkdirSync(join(made, "server", "sandbox"));
writeFileSync(join(made, "server", "sandbox", "child.mjs"), await bundleRunner());
writeFileSync(join(made, "server", "sandbox", "guest.js"), await bundleGuest());
copyFileSync(at("server/sandbox/jobrunner.d.ts"), join(made, "server", "sandbox", "jobrunner.d.ts"));
writeFileSync(join(made, "third-party-licenses.txt"), licensesOf(metafile));
writeFileSync(join(made, "sources.json"), JSON.stringify(apart(metafile)));

rmSync(at("dist"), { recursive: true, force: true });
renameSync(made, at("dist"));

type Stamp = [path: string, bytes: number, changedMs: number];

function ownSources(): string[] {
  const patterns = ["server/**/*.ts", "tools/**/*.ts", "migrations/*.ts", "scripts/build.ts"];
  const own = globSync(patterns, { cwd: packageRoot, exclude: ["**/*.test.ts"] });
  // npm writes it whenever it changes packages.
  return [...own.map((path) => path.replaceAll("\\", "/")), "node_modules/.package-lock.json"];
}

function stampsOf(paths: readonly string[]): Stamp[] {
  return paths.map((path) => {
    const { size, mtimeMs } = statSync(at(path));
    return [path, size, mtimeMs];
  });
}

/** What the clone's `jr` compares before it runs what was built, the sources of `jr mcp` apart. */
function apart(built: Metafile): Readonly<{ bridge: Stamp[]; others: Stamp[] }> {
  const ofBridge = loadedBy(built, ["server/main.ts", "server/cli/mcp.ts"]);
  const { bridge = [], others = [] } = Object.groupBy(stamps, ([path]) => (ofBridge.has(path) ? "bridge" : "others"));
  return { bridge, others };
}

/** These sources with all that they import at their start. */
function loadedBy({ inputs }: Metafile, entries: readonly string[]): Set<string> {
  const found = new Set(entries);
  for (const path of found)
    for (const each of inputs[path]?.imports ?? [])
      if (each.kind === "import-statement" && !each.external) found.add(each.path);
  return found;
}

/** The licence of each package of which something was bundled. */
function licensesOf({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  return [...new Set(folders)].sort().map(licenseOf).join("\n");
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(at(folder, "package.json"), "utf8"));
  const [file] = globSync("{licen[sc]e,LICEN[SC]E}*", { cwd: at(folder) });
  const text = file === undefined ? "" : readFileSync(at(folder, file), "utf8");
  return `# ${name} ${version} (${license})\n\n${text}\n`;
}
