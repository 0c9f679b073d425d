import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { jobCompilerOptions, jobTypes } from "./check-types.ts";

/** How the files begin that are made for editors in the jobs folder. */
export const editorFileMark =
  "// Made by JobRunner for editors, and made again at each start. The checks of jobs do not read it.";

/** Puts types and compiler options into the jobs folder, so that an editor there knows what a job may use; files of others stay. */
export async function writeEditorFiles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeOurs(join(folder, "jobrunner.d.ts"), `${editorFileMark}\n${await readFile(jobTypes, "utf8")}`);
  const zod = dirname(createRequire(import.meta.url).resolve("zod/package.json"));
  const config = {
    compilerOptions: { ...jobCompilerOptions, paths: { zod: [zod] } },
    include: ["**/*.ts"],
    exclude: ["node_modules"],
  };
  await writeOurs(join(folder, "tsconfig.json"), `${editorFileMark}\n${JSON.stringify(config, null, 2)}\n`);
}

async function writeOurs(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text || (before !== undefined && !before.startsWith(editorFileMark))) return;
  const temporary = join(dirname(path), `.${process.pid}.editor.tmp`);
  await writeFile(temporary, text);
  await rename(temporary, path);
}
