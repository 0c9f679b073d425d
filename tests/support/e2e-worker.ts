import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { workerAnswer } from "../../server/cli/worker-answer.ts";
import { homePaths, packageRoot } from "../../server/home.ts";
import { type E2eHome, must } from "./e2e-home.ts";

/** A `jr worker` process with a home folder of its own, on the daemon's database. */
export type E2eWorker = AsyncDisposable &
  Readonly<{
    /** What it has said on standard error. */
    said: () => string;
    /** Its name, once it is on record. */
    name(): Promise<string>;
    /** Lets it trust the daemon's key, as a person does with `jr setup --trust`. */
    trust(): void;
    /** Sends a signal and waits for its end: the exit code, or null where the signal took it down. */
    end(signal: NodeJS.Signals): Promise<number | null>;
  }>;

/** Starts a worker; one of the same `machine` is the successor of an earlier one. */
export async function startE2eWorker(
  daemon: E2eHome,
  machine: string,
  { labels = "", secrets = "", trusts = true } = {},
): Promise<E2eWorker> {
  const root = join(daemon.root, machine);
  const home = homePaths({ JOBRUNNER_HOME: root });
  mkdirSync(dirname(home.trustedKeys), { recursive: true, mode: 0o700 });
  const trust = () => copyFileSync(homePaths(daemon.env).trustedKeys, home.trustedKeys);
  if (trusts) trust();
  if (secrets !== "") writeFileSync(home.env, secrets, { mode: 0o600 });
  const child = spawn(process.execPath, [join(packageRoot, "server", "jr.mjs"), "worker"], {
    env: { ...daemon.env, JOBRUNNER_HOME: root, JOBRUNNER_LABELS: labels },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    said: () => said,
    async name() {
      for (;;) {
        const found = (await listWorkers(daemon)).find(({ home: place, pid }) => place === root && pid === child.pid);
        if (found !== undefined) return found.name;
        if (child.exitCode !== null) throw new Error(`the worker ended:\n${said}`);
      }
    },
    trust,
    end,
    [Symbol.asyncDispose]: async () => {
      await end("SIGKILL");
    },
  };
}

/** What `jr workers` shows, as data. */
export async function listWorkers(daemon: E2eHome): Promise<z.infer<typeof workerAnswer>[]> {
  return z.array(workerAnswer).parse(JSON.parse(must(await daemon.jr(["workers", "--json"])).stdout));
}
