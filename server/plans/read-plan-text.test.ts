import { expect, it } from "vitest";
import { UserError } from "../errors.ts";
import { readPlanText } from "./read-plan-text.ts";

const known = { roles: ["researcher", "integrator"], jobs: ["feed-watch"], commands: ["npm-test"] };

function mistakes(text: string): string {
  try {
    readPlanText(text, "goal.yaml", 3, known);
  } catch (thrown) {
    if (thrown instanceof UserError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "none";
}

it("a sound plan is read with every default filled in", () => {
  const plan = readPlanText(
    `goal: compare two libraries
caps: { minutes: 30 }
nodes:
  - key: first
    role: researcher
    prompt: Look at A.
  - { key: watch, job: feed-watch, input: { limit: 3 } }
  - { key: all, kind: merge, needs: [first, watch] }
`,
    "goal.yaml",
    3,
    known,
  );
  expect(plan.nodes?.map(({ key, kind, needs, optional }) => ({ key, kind, needs, optional }))).toEqual([
    { key: "first", kind: "agent", needs: [], optional: false },
    { key: "watch", kind: "job", needs: [], optional: false },
    { key: "all", kind: "merge", needs: ["first", "watch"], optional: false },
  ]);
  expect(plan).toMatchObject({ urgency: "normal", caps: { minutes: 30 }, nodes: [{}, {}, { role: "integrator" }] });
});

it.each([
  [
    "goal: x\nnodes:\n  - key: a\n    role: resercher\n    prompt: p\n",
    'goal.yaml:4: there is no role "resercher" (did you mean "researcher"?).',
  ],
  [
    "goal: x\nnodes:\n  - key: a\n    role: researcher\n    promt: p\n",
    'goal.yaml:5: there is no field "nodes.0.promt". Did you mean "prompt"?',
  ],
  [
    "goal: x\nnodes:\n  - key: a\n    role: researcher\n    prompt: p\n    promt: p\n",
    'goal.yaml:6: there is no field "nodes.0.promt". Did you mean "prompt"?',
  ],
  ["goal: x\n\nnodes:\n  - { key: a, job: nope }\n", 'goal.yaml:4: there is no job "nope" (known: feed-watch).'],
  [
    "goal: x\nnodes:\n  - { key: a, kind: sing }\n",
    'goal.yaml:3: "nodes.0.kind": a node has a kind: agent, merge, job, command, person or host.',
  ],
  [
    "goal: x\nnodes:\n  - { key: A, kind: host, prompt: p }\n",
    'goal.yaml:3: "nodes.0.key": a key has lower-case letters',
  ],
  [
    "goal: x\nnodes:\n  - { key: a, kind: host, prompt: p }\n  - { key: a, kind: host, prompt: p }\n",
    'goal.yaml:4: there is another node "a".',
  ],
  [
    "goal: x\nnodes:\n  - { key: aa, kind: host, prompt: p }\n  - key: b\n    kind: host\n    prompt: p\n    needs:\n      - aab\n",
    'goal.yaml:8: there is no node "aab" (did you mean "aa"?).',
  ],
  [
    'goal: x\nnodes:\n  - key: a\n    kind: host\n    prompt: "${a.output}"\n',
    "goal.yaml:5: ${a.output} is its own output.",
  ],
  [
    'goal: x\nnodes:\n  - key: a\n    kind: host\n    prompt: "${b.output}"\n  - { key: b, kind: host, prompt: p, needs: [a] }\n',
    "goal.yaml:3: these wait for each other: a → b → a (each waits for the one after it).",
  ],
  [
    "goal: x\nnodes: [{key: a, kind: host, prompt: p}, {key: b, kind: host, prompt: p}, {key: c, kind: host, prompt: p}, {key: d, kind: host, prompt: p}]\n",
    "goal.yaml:2: there are 4 nodes; config.yaml allows 3 (plans.nodes).",
  ],
  ["goal: x\nnodes: []\n", 'goal.yaml:2: "nodes"'],
  ["nodes:\n  - { key: a, kind: host, prompt: p }\n", '"goal"'],
  ["goal: [", "goal.yaml:1: this is not YAML"],
  ["goal: x\ncaps: { dollars: 3 }\n", 'goal.yaml:2: there is no field "caps.dollars". Known here: agents, depth'],
])("%j says where it is wrong", (text, said) => {
  expect(mistakes(text)).toContain(said);
  expect(mistakes(text)).toMatch(/^plan_invalid: /);
});
