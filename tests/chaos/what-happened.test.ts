import { expect, test } from "vitest";
import { type Evidence, problemsOf } from "./what-happened.ts";

const at = new Date("2026-11-25T00:00:00Z");

type Run = Evidence["rows"][number];

function run(id: number, more: Partial<Run> = {}): Run {
  return { id, job: "steps", state: "succeeded", attempt: 1, lease: 1, error: null, ...more };
}

const attempt = (runId: number, number: number, endedAt: Date | null = at) => ({
  run_id: runId,
  attempt: number,
  ended_at: endedAt,
});

const request = (path: string, method = "POST") => ({ at: 0, path, method });
const hold = (runId: number, worker: string, from: number, until: number, lease = 1) => ({
  run: runId,
  lease,
  worker,
  from,
  until,
});

function evidence(more: Partial<Evidence>): Evidence {
  const key = new Map([["k0", 1]]);
  return {
    rows: [run(1)],
    attempts: [attempt(1, 1)],
    journal: [],
    holds: [hold(1, "w1", 0, 100)],
    requests: [request("R1/1/post-0")],
    accepted: [key, key, key],
    ...more,
  };
}

test("nothing is found where all went well", () => {
  expect(problemsOf(evidence({}))).toEqual([]);
});

test.each<[string, Partial<Evidence>, RegExp]>([
  ["an accepted run is gone", { rows: [], attempts: [] }, /accepted run of k0 is gone/],
  ["one key, two runs", { accepted: [new Map([["k0", 1]]), new Map([["k0", 2]])] }, /k0 led to different runs/],
  ["a run that nobody asked for", { rows: [run(1), run(2)], attempts: [attempt(1, 1), attempt(2, 1)] }, /2 runs for 1/],
  ["a run without an end", { rows: [run(1, { state: "running" })] }, /R1 of steps never ended/],
  ["a run that failed", { rows: [run(1, { state: "crashed" })] }, /R1 of steps ended as crashed/],
  ["an attempt without an end", { attempts: [attempt(1, 1, null)] }, /its attempts 1 did not/],
  ["a crash that became a retry", { attempts: [attempt(1, 1), attempt(1, 2)] }, /took 2 attempts, not 1/],
  [
    "two that hold one run",
    { holds: [hold(1, "w1", 0, 100), hold(1, "w2", 60, 160, 2)] },
    /one run held twice: R1 lease 1 of w1 and R1 lease 2 of w2 meet for 40 ms/,
  ],
  [
    "two runs of a job that has one at a time",
    {
      rows: [run(1, { job: "alone" }), run(2, { job: "alone" })],
      attempts: [attempt(1, 1), attempt(2, 1)],
      holds: [hold(1, "w1", 0, 100), hold(2, "w2", 99, 160)],
      accepted: [new Map([["k0", 1]]).set("k1", 2)],
    },
    /two runs of a job that must be alone/,
  ],
  ["a POST that was repeated", { requests: [request("R1/1/post-0"), request("R1/1/post-0")] }, /was made 2 times/],
  [
    "a PUT that was repeated without a cut",
    { requests: [request("R1/1/put-0", "PUT"), request("R1/1/put-0", "PUT")] },
    /was made 2 times, at most 1/,
  ],
])("%s is found", (_, more, problem) => {
  expect(problemsOf(evidence(more))).toEqual([expect.stringMatching(problem)]);
});

test("a request on record that never came is found", () => {
  const args = JSON.stringify({ url: "http://127.0.0.1:1/R1/1/put-9", method: "PUT" });
  const journal: Evidence["journal"] = [{ run_id: 1, op: "fetch", state: "done", outcome: "ok", args }];
  expect(problemsOf(evidence({ journal }))).toEqual([expect.stringMatching(/on record and never came/)]);
});
