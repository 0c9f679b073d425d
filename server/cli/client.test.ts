import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type DaemonInfo, writeDaemonInfo } from "../daemon/info.ts";
import { homePaths } from "../home.ts";
import { connectDaemon } from "./client.ts";

const root = mkdtempSync(join(tmpdir(), "jobrunner-client-"));
const home = homePaths({ JOBRUNNER_HOME: root });
const { signal } = new AbortController();
afterAll(() => rmSync(root, { recursive: true }));

/** As a process says it that has begun to start. */
const starting: DaemonInfo = {
  role: "daemon",
  pid: process.pid,
  started_at: "2026-01-01T00:00:00.000Z",
  version: "0",
  socket: home.socket,
  url: "",
  store: "pglite",
};

test("a command that comes while a daemon starts waits until it listens", async () => {
  writeDaemonInfo(home, starting);
  const connected = connectDaemon({ home, signal });
  const first = await Promise.race([connected.then(() => "connected"), new Promise((done) => setTimeout(done, 60))]);
  expect(first).toBeUndefined();
  writeDaemonInfo(home, { ...starting, url: "http://127.0.0.1:1/" });
  expect((await connected).url).toBe("http://127.0.0.1:1/");
});
