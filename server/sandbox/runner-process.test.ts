import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startRunner } from "./runner-process.ts";

test("a runner that never says that it is ready is killed, and whoever waits for it hears why", async () => {
  const folder = mkdtempSync(join(tmpdir(), "jr-runner-"));
  try {
    const script = join(folder, "hang.mjs");
    writeFileSync(script, "setInterval(() => {}, 1_000);");
    const guest = { version: "guest-x", path: script };
    const options = { script, guest, locale: "en-US", timezone: "UTC", dataMb: 4_096, netless: false };
    const runner = startRunner({ ...options, startMs: 300 });
    await expect(runner.ready).rejects.toThrow("it was not ready after 0.3 s");
    expect(runner.isAlive()).toBe(false);
    const lives = () => existsSync(`/proc/${runner.pid}`);
    if (process.platform === "linux") await expect.poll(lives, { timeout: 30_000 }).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
