import { once } from "node:events";
import { expect, test } from "vitest";
import { jrFixture, output } from "../cli/jr-fixture.ts";
import { findDaemonInfo } from "./info.ts";
import { isLocked } from "./lock.ts";

test("a second daemon is told the pid of the first, and kill -9 frees the home", { timeout: 60_000 }, async () => {
  await using fixture = jrFixture();
  const { home } = fixture;
  const first = fixture.spawnJr("daemon", "--log-stderr");
  await output(first, /the doors are open/);
  expect(isLocked(home)).toBe(true);
  expect(findDaemonInfo(home)?.pid).toBe(first.pid);

  const second = await fixture.jr("daemon");
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`error: Another daemon (pid ${first.pid}) holds the home folder ${home.root}.`);
  expect(second.stderr).toContain("next: ");
  expect(isLocked(home)).toBe(true);

  const gone = once(first, "exit");
  first.kill("SIGKILL");
  await gone;
  expect(isLocked(home)).toBe(false);
  const third = fixture.spawnJr("daemon", "--log-stderr");
  await output(third, /daemon: ready/);
});
