import { readFile, readlink } from "node:fs/promises";
import type { Pool } from "./types.ts";

/** One wall between jobs and this machine, and whether it was seen to stand; false also where it cannot be seen. */
export type Wall = Readonly<{ name: string; stands: boolean }>;

/** What the system tells of a process; undefined where it does not. */
export type ProcessFacts = Readonly<{
  environ: string | undefined;
  cmdline: string | undefined;
  status: string | undefined;
  limits: string | undefined;
  network: string | undefined;
  ownNetwork: string | undefined;
}>;

/** Zone and locale of the job, and what Node itself sets for the pipe of its parent. */
const environment = new Set(["TZ", "LC_ALL", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"]);

/** A job that tries what must not be there, and says what it found. */
const probe = `const found = [];
for (const name of ["process", "require", "WebAssembly", "SharedArrayBuffer", "Atomics", "eval"])
  if (typeof globalThis[name] !== "undefined") found.push(name);
for (const made of [function () {}, async function () {}, function* () {}, async function* () {}])
  try { made.constructor("return 1"); found.push("constructor"); } catch {}
const { defineJob } = require("jobrunner");
module.exports.default = defineJob({ description: "looks for a way out", run: async () => found });`;

/** Starts a runner as jobs get it, looks at its process from outside and has a job look from inside. */
export async function findWalls(pool: Pick<Pool, "run">): Promise<readonly Wall[]> {
  let facts: ProcessFacts | undefined;
  const outcome = await pool.run({
    bundle: probe,
    bundleHash: "probe",
    sourceMap: null,
    inputJson: null,
    info: { job: "probe", version: 0, run: "R0", attempt: 1, trigger: "person", slot: null, event: null },
    seed: "0".repeat(32),
    startMs: 0,
    timezone: "UTC",
    locale: "en-US",
    limits: { timeoutMs: 20_000, cpuMs: 20_000, memoryMb: 64, logBytes: 1_000, effects: 1, inFlight: 1 },
    guestRuntime: null,
    async onStart({ pid }) {
      facts = await readFacts(pid);
    },
    onEffect: async () => {},
    onLog: () => {},
    signal: AbortSignal.timeout(30_000),
  });
  if (outcome.state !== "succeeded" || facts === undefined) {
    throw new Error(`a probe of the sandbox ended as ${outcome.state}`);
  }
  return [
    { name: "isolate without eval, Function, WebAssembly and anything of Node", stands: outcome.outputJson === "[]" },
    ...wallsOf(facts),
  ];
}

/** Which walls these facts show. */
export function wallsOf({ environ, cmdline, status, limits, network, ownNetwork }: ProcessFacts): Wall[] {
  const names = environ?.split("\0").flatMap((entry) => (entry === "" ? [] : (entry.split("=")[0] ?? [])));
  const bounded = (what: string) => new RegExp(`^Max ${what} +\\d+ `, "m").test(limits ?? "");
  return [
    { name: "empty environment", stands: names?.every((name) => environment.has(name)) === true },
    { name: "Node permissions", stands: cmdline?.split("\0").includes("--permission") === true },
    { name: "no new privileges (setpriv)", stands: /^NoNewPrivs:\s*1$/m.test(status ?? "") },
    { name: "no network (unshare)", stands: network !== undefined && network !== ownNetwork },
    {
      name: "limits of memory, files and dumps (prlimit)",
      stands: ["data size", "file size", "core file size"].every(bounded),
    },
    { name: "watchdog of computing and memory (/proc)", stands: status !== undefined },
  ];
}

async function readFacts(pid: number): Promise<ProcessFacts> {
  const seen = (reading: Promise<string>) => reading.catch(() => undefined);
  const text = (name: string) => seen(readFile(`/proc/${pid}/${name}`, "utf8"));
  const [environ, cmdline, status, limits, network, ownNetwork] = await Promise.all([
    ...["environ", "cmdline", "status", "limits"].map(text),
    seen(readlink(`/proc/${pid}/ns/net`)),
    seen(readlink("/proc/self/ns/net")),
  ]);
  return { environ, cmdline, status, limits, network, ownNetwork };
}
