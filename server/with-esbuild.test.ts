import { afterEach, expect, test, vi } from "vitest";
import { withEsbuild } from "./with-esbuild.ts";

const stop = vi.hoisted(() => vi.fn());
vi.mock("esbuild", async (original) => ({ ...(await original<typeof import("esbuild")>()), stop }));

afterEach(() => {
  vi.useRealTimers();
  stop.mockClear();
});

test("esbuild's process ends some time after the last build, and never under one", async () => {
  await withEsbuild(async () => {});
  vi.useFakeTimers();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const builds = [withEsbuild(() => first.promise), withEsbuild(() => second.promise)];
  first.resolve();
  await builds[0];
  vi.advanceTimersByTime(60_000);
  expect(stop).not.toHaveBeenCalled();
  second.resolve();
  await builds[1];
  expect(stop).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(stop).toHaveBeenCalledTimes(1);
});

test("a build that fails counts as ended", async () => {
  vi.useFakeTimers();
  await expect(
    withEsbuild(async () => {
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  vi.advanceTimersByTime(60_000);
  expect(stop).toHaveBeenCalledTimes(1);
});
