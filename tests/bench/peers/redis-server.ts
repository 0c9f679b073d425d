import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../support/postgres-cluster.ts";

/**
 * Starts a Redis that syncs every write before it is acknowledged, as PostgreSQL does; Redis' own default is to log no writes.
 * Undefined where it is not installed.
 */
export async function startRedis(
  folder: string,
): Promise<(AsyncDisposable & { pid: number; port: number }) | undefined> {
  mkdirSync(folder);
  const port = await freePort();
  const settings = ["--dir", folder, "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always"];
  const child = spawn("redis-server", ["--port", String(port), "--save", "", ...settings], { stdio: "ignore" });
  const failed = once(child, "error").then(
    () => true,
    () => true,
  );
  for (let round = 0; round < 100; round++) {
    const { pid } = child;
    if (pid === undefined || child.exitCode !== null) return undefined;
    if (await answers(port)) return { pid, port, [Symbol.asyncDispose]: () => stop() };
    await Promise.race([delay(50), failed]);
  }
  child.kill("SIGKILL");
  return undefined;

  async function stop(): Promise<void> {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
