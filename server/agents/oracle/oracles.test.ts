import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testCommand } from "../../definitions/definitions-fixture.ts";
import { readAgentError } from "../agent-error.ts";
import type { Oracle } from "../agent-order.ts";
import { agentsFixture } from "../agents-fixture.ts";

/*
 * Answers that a signed command or a second model judges: agents, their processes and the command are real. The worker answers "bad"
 * first, and "good" once somebody has told it what was wrong.
 */

vi.setConfig({ testTimeout: 180_000 });

/** Accepts "good" alone, and says what it got. */
const onlyGood = `let text = ""; process.stdin.on("data", (part) => { text += part; }).on("end", () => {
  if (text !== "good") { console.error("got " + text + ", want good"); process.exitCode = 1; }
});`;

let fixture: Awaited<ReturnType<typeof agentsFixture>>;
beforeAll(async () => {
  fixture = await agentsFixture({
    roles: { researcher: {}, judge: {} },
    reply({ messages }) {
      const [, task, ...later] = messages.map(({ content }) => content ?? "");
      if (task?.includes("<answer>\ngood")) return { pieces: ['{"accept": true, "reason": ""}'] };
      if (task?.includes("unsure")) return { pieces: ["I cannot tell."] };
      if (task?.includes("<answer>")) return { pieces: ['{"accept": false, "reason": "not kind enough"}'] };
      return { pieces: [later.length > 0 ? "good" : "bad"] };
    },
  });
  await fixture.storeDefinition("command", "only-good", testCommand({ args: ["-e", onlyGood] }));
  await fixture.sign("command", "only-good");
  await fixture.storeDefinition("command", "unsigned", testCommand());
  fixture.supervise();
}, 120_000);
afterAll(() => fixture[Symbol.asyncDispose]());

async function run(oracle: Oracle) {
  const agent = await fixture.spawn({ oracle });
  const ended = await fixture.end(agent);
  const steps = await fixture.steps(agent);
  const verdicts = steps.filter(({ kind }) => kind === "oracle").map(({ result }) => JSON.parse(result ?? "null"));
  return { ended, verdicts, error: readAgentError(ended.error)?.message };
}

test("a signed command judges what it is given on stdin, and its words reach the model", async () => {
  const { ended, verdicts } = await run({ kind: "command", command: "only-good", args: ["-e", onlyGood], attempts: 2 });
  expect(ended).toMatchObject({ state: "succeeded", output: "good" });
  expect(verdicts).toEqual([
    { verdict: "fail", reason: "only-good ended with exit code 1: got bad, want good" },
    { verdict: "pass", reason: "" },
  ]);
});

test("a second model judges, as an agent of its own that counts for the first", async () => {
  const { ended, verdicts } = await run({ kind: "model", role: "judge", question: "Is it kind?", attempts: 2 });
  expect(ended).toMatchObject({ state: "succeeded", output: "good" });
  expect(verdicts).toEqual([
    { verdict: "fail", reason: expect.stringMatching(/^A\d+ \(judge\) says: not kind enough$/) },
    { verdict: "pass", reason: "" },
  ]);
  const judges = await fixture.store.db.selectFrom("agents").selectAll().where("role", "=", "judge").execute();
  expect(judges).toHaveLength(2);
  for (const judge of judges) expect(judge).toMatchObject({ parent_agent: ended.id, state: "succeeded" });
  expect(judges[0]?.prompt).toContain("Is it kind?");
});

const unable: [Oracle, RegExp][] = [
  [
    { kind: "command", command: "unsigned", args: [], attempts: 2 },
    /could not be judged: Command "unsigned" has no valid approval/,
  ],
  [{ kind: "command", command: "only-good", args: ["--version"], attempts: 2 }, /could not be judged: .*only-good/],
  [{ kind: "command", command: "missing", args: [], attempts: 2 }, /could not be judged: .*missing/],
  [{ kind: "model", role: "judge", question: "unsure", attempts: 2 }, /could not be judged: A\d+ \(judge\) failed/],
];

test.each(unable)("an oracle that does not work accepts nothing, and says why: %j", async (oracle, message) => {
  const { ended, error } = await run(oracle);
  expect(ended).toMatchObject({ state: "failed", output: null });
  expect(error).toMatch(message);
});
