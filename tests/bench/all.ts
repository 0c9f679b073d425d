import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/*
 * Every benchmark, one after the other, each in a process of its own; about ten minutes on two cores. A quiet machine makes the
 * figures worth quoting. `npm run bench -- peers recovery` prints those alone.
 */
const all = [
  "peers",
  "recovery",
  "main-job",
  "sandbox",
  "effects",
  "resume",
  "queue",
  "growth",
  "plans",
  "tasks",
  "compile",
  "mcp-start",
];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(", ")}: ${all.join(", ")}`);
for (const name of wanted.length > 0 ? wanted : all) {
  process.stdout.write(`\n# ${name}\n`);
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))], {
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
