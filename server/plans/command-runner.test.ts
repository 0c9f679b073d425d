import { describe, expect, it } from "vitest";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import type { Row } from "../store/tables.ts";
import { commandRunner, type RunCommand } from "./command-runner.ts";
import type { NodeOrder } from "./node-runner.ts";

const node: Row<"plan_nodes"> = {
  ...{ plan_id: 3, key: "test", position: 0, level: 0, kind: "command", spec: "{}", optional: false, state: "running" },
  ...{ attempt: 1, tries: 1, next_try_at: null, task_id: null, agent_id: null, run_id: null, output: null },
  ...{ error: null, history: "[]", started_at: null, finished_at: null },
};
const plan: Row<"plans"> = {
  ...{ id: 3, goal: "g", state: "running", hold: false, caps: "{}", urgency: "normal", complexity: "medium" },
  ...{ task_id: null, error: null, lease: 1, lease_owner: null, heartbeat_at: null, ran_ms: 0, running_since: null },
  ...{
    origin: "host",
    requested_by: "host",
    trace_id: "t",
    created_at: new Date(),
    started_at: null,
    finished_at: null,
  },
};
const order = (args: string[] = [], repeatable = false): NodeOrder => ({
  ...{ plan, node, folder: "/somewhere", dedupeKey: "plan:3:test:1", outputs: new Map([["a", '{"n": 4}']]) },
  spec: { key: "test", kind: "command", needs: [], optional: false, command: "npm-test", args, repeatable },
});
const end = { code: 0, stdout: "fine", stderr: "", timedOut: false, truncated: false };

/** Starts it and waits for its end. */
async function outcome(run: RunCommand, given = order()) {
  const ended = Promise.withResolvers<void>();
  await using runner = commandRunner({ run, log: silentLog, onEnd: ended.resolve });
  await runner.start(given);
  // The same try again starts nothing.
  await runner.start(given);
  await ended.promise;
  return runner.look(node, given);
}

it("arguments are filled in, each stays one, and it runs in its node's folder", async () => {
  const calls: unknown[] = [];
  const run: RunCommand = async ({ signal: _, ...rest }) => {
    calls.push(rest);
    return end;
  };
  expect(await outcome(run, order(["--n=${a.output.n}", "${a.output}"]))).toMatchObject({
    state: "succeeded",
    output: "fine",
  });
  expect(calls).toEqual([{ name: "npm-test", args: ["--n=4", '{"n":4}'], cwd: "/somewhere" }]);
});

describe("what came of it", () => {
  it.each([
    [
      "a code",
      { ...end, code: 2, stderr: "no such test" },
      "exit_code",
      "permanent",
      "it ended with code 2: no such test",
    ],
    ["a signal", { ...end, code: null, stdout: "" }, "exit_code", "permanent", "a signal ended it"],
    [
      "its time",
      { ...end, code: null, timedOut: true, stdout: "" },
      "timeout",
      "timeout",
      "it took longer than it may",
    ],
  ])("%s is told", async (_name, given, reason, failure, message) => {
    expect(await outcome(async () => given)).toMatchObject({
      state: "failed",
      error: { reason, class: failure, message },
    });
  });

  it("what is not signed is a matter of policy, a bug is ours", async () => {
    const refused = new UserError("not_approved", "The command is not signed.");
    expect(await outcome(() => Promise.reject(refused))).toMatchObject({ error: { class: "policy" } });
    expect(await outcome(() => Promise.reject(new TypeError("x")))).toMatchObject({ error: { reason: "internal" } });
  });
});

it("one that another daemon had begun is uncertain, unless it may be repeated", async () => {
  const ended = Promise.withResolvers<void>();
  await using runner = commandRunner({ run: async () => end, log: silentLog, onEnd: ended.resolve });
  expect(await runner.look(node, order())).toMatchObject({ state: "failed", error: { reason: "uncertain" } });
  expect(await runner.look(node, order([], true))).toEqual({ state: "running" });
  await ended.promise;
  expect(await runner.look(node, order([], true))).toMatchObject({ state: "succeeded" });
});

it("cancelling ends it", async () => {
  const ended = Promise.withResolvers<void>();
  const run: RunCommand = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await using runner = commandRunner({ run, log: silentLog, onEnd: ended.resolve });
  await runner.start(order());
  await runner.cancel(node, "person");
  await ended.promise;
  expect(await runner.look(node, order())).toMatchObject({ state: "cancelled" });
});
