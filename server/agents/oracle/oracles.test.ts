import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testCommand } from "../../definitions/definitions-fixture.ts";
import type { Row } from "../../store/tables.ts";
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
/** Its judge is revoked before it begins. */
let orphaned: Row<"agents">;
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
  await fixture.storeDefinition("command", "fleeting", testCommand());
  await fixture.sign("command", "fleeting");
  orphaned = await fixture.spawn({ oracle: { kind: "command", command: "fleeting", args: [] } });
  await fixture.revoke("command", "fleeting");
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

test("an oracle that does not work accepts nothing, and says why", async () => {
  const { ended, error } = await run({ kind: "model", role: "judge", question: "unsure", attempts: 2 });
  expect(ended).toMatchObject({ state: "failed", output: null });
  expect(error).toMatch(/could not be judged: A\d+ \(judge\) failed/);
});

test("one that was revoked meanwhile accepts nothing either", async () => {
  const ended = await fixture.end(orphaned);
  expect(ended).toMatchObject({ state: "failed", output: null });
  expect(readAgentError(ended.error)?.message).toMatch(/could not be judged: Command "fleeting" has no valid approval/);
});

const refused: [Oracle, string, RegExp][] = [
  [{ kind: "command", command: "unsigned", args: [] }, "not_approved", /"unsigned" has no valid approval/],
  [{ kind: "command", command: "only-good", args: ["--version"] }, "permission_denied", /takes other arguments/],
  [{ kind: "command", command: "missing", args: [] }, "definition_not_found", /missing/],
  [{ kind: "model", role: "nobody" }, "definition_not_found", /nobody/],
  [{ kind: "test", source: 'import "node:fs"; export default () => {};' }, "invalid_argument", /imports nothing/],
];

test.each(refused)(
  "an oracle that cannot work is refused before anything is asked: %j",
  async (oracle, code, message) => {
    await expect(fixture.spawn({ oracle })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  },
);
