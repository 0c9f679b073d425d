import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { percentile, print } from "./figures.ts";
import { printBar } from "./report.ts";

/* From the start of `jr mcp` to the answer to `initialize`, with the daemon up and down. The peer: Node starting and ending. */
const program = fileURLToPath(new URL("../../server/jr.mjs", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "jr-bench-"));
const env = {
  PATH: process.env.PATH,
  HOME: root,
  JOBRUNNER_HOME: join(root, "h"),
  JOBRUNNER_JOBS: join(root, "j"),
  JOBRUNNER_PORT: "0",
};
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
};

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once("close", () => resolve()));
const jr = (...args: string[]) => ended(spawn(process.execPath, [program, ...args], { env, stdio: "ignore" }));

async function connect(): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [program, "mcp"], { env, stdio: ["pipe", "pipe", "ignore"] });
  const answered = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).once("line", () => resolve(performance.now() - start));
  });
  child.stdin.write(`${JSON.stringify(initialize)}\n`);
  const ms = await answered;
  child.stdin.end();
  await ended(child);
  return ms;
}

async function nodeAlone(): Promise<number> {
  const start = performance.now();
  await ended(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }));
  return performance.now() - start;
}

await jr("start");
const [up, down, node]: number[][] = [[], [], []];
for (let round = 0; round < 12; round += 1) {
  up?.push(await connect());
  node?.push(await nodeAlone());
}
for (let round = 0; round < 5; round += 1) {
  await jr("stop");
  down?.push(await connect());
}
await jr("stop");
const base = percentile(node ?? [], 0.5);
const line = (values: number[] = []) =>
  `${percentile(values, 0.5).toFixed(0)} ms p50, ${(percentile(values, 0.5) / base).toFixed(1)} x node alone (${base.toFixed(0)} ms)`;
print("jr mcp -> initialize answered, daemon up", line(up));
print("jr mcp -> initialize answered, daemon down", line(down));
printBar("jr mcp -> initialize, daemon up", percentile(up ?? [], 0.5), 150, " ms", "at most");
printBar("jr mcp -> initialize, daemon down", percentile(down ?? [], 0.5), 600, " ms", "at most");
rmSync(root, { recursive: true, force: true });
