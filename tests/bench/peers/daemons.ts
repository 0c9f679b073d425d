import { cpSync } from "node:fs";
import { join } from "node:path";
import { e2eHome, must, saveJob } from "../../support/e2e-home.ts";
import type { Subject } from "./subject.ts";

const source = (holdUrl: string) => `import { defineJob } from "jobrunner";
export default defineJob({ description: "waits for an answer",
  schedule: { cron: "0 0 1 1 *", overlap: "allow" },
  permissions: { net: [{ host: "${new URL(holdUrl).host}", private: true }] },
  async run() { await fetch("${holdUrl}"); } });
`;

/** The daemon as people start it; after it is killed it is started anew, as its service would do it. */
export async function embeddedDaemon(holdUrl: string): Promise<Subject> {
  const home = await daemonHome(holdUrl);
  return {
    name: "jobrunner, PGlite",
    pids: () => [home.daemonPid()],
    hold: async () => void must(await home.jr(["run", "hold"])),
    async loseAndReplace() {
      process.kill(home.daemonPid(), "SIGKILL");
      must(await home.jr(["start"]));
    },
    limits: "a lost daemon's leases are known at once",
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** Two machines on one PostgreSQL; the one that has all the work is lost. */
export async function twoDaemons(databaseUrl: string, holdUrl: string, server: number): Promise<Subject> {
  const home = await daemonHome(holdUrl, databaseUrl);
  const other = await e2eHome({ databaseUrl });
  // It trusts the same person, and has the same folder of jobs, as a second machine does.
  cpSync(join(home.root, "home", "keys"), join(other.root, "home", "keys"), { recursive: true });
  other.env.JOBRUNNER_JOBS = home.jobs;
  return {
    name: "jobrunner, PostgreSQL",
    pids: () => [home.daemonPid(), server],
    hold: async () => void must(await home.jr(["run", "hold"])),
    // Started only now, so that it has none of the runs.
    prepare: async () => void must(await other.jr(["start"])),
    async loseAndReplace() {
      process.kill(home.daemonPid(), "SIGKILL");
    },
    limits: "on another machine; a lease is lost after 6 s",
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

async function daemonHome(holdUrl: string, databaseUrl?: string) {
  const home = await e2eHome(databaseUrl === undefined ? {} : { databaseUrl });
  home.setUpUnprotected();
  must(await home.jr(["start"]));
  saveJob(home, "hold", source(holdUrl));
  must(await home.jr(["submit", join(home.jobs, "hold.ts")]));
  must(await home.approve("hold"));
  // As after a machine's start: the very first start, which makes the database, leaves some 70 MB behind.
  must(await home.jr(["restart"]));
  return home;
}
