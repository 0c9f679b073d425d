import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/* Every benchmark, one after the other, each in a process of its own. A quiet machine makes the figures worth quoting. */
for (const name of ["main-job", "sandbox", "effects", "resume", "queue", "compile", "mcp-start"]) {
  process.stdout.write(`\n# ${name}\n`);
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))], {
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
