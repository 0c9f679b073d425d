import { expect, it } from "vitest";
import { decomposePrompt, readDecomposition } from "./decompose.ts";

const offer = (name: string, signed = true) => ({ name, description: `what ${name} does`, signed });
const catalogue = {
  roles: [offer("researcher"), offer("integrator"), offer("draft-role", false)],
  jobs: [offer("feed-watch")],
  commands: [],
};
const material = { goal: "compare", catalogue, maxNodes: 4 };
const read = (nodes: unknown) => readDecomposition(JSON.stringify({ nodes }), material);

it("what a small model fills in without meaning it is dropped", () => {
  const found = read([
    { key: "a", kind: "agent", role: "researcher", prompt: "look", needs: [""], job: "", command: "", args: [] },
    { key: "b", kind: "job", job: "feed-watch", input: { n: 1 }, prompt: "", role: "", needs: ["b"] },
    { key: "all", kind: "merge", role: "", prompt: "", needs: ["a", "b"] },
  ]);
  expect(found.ok && found.nodes.map(({ key, kind, needs }) => [key, kind, needs])).toEqual([
    ["a", "agent", []],
    ["b", "job", []],
    ["all", "merge", ["a", "b"]],
  ]);
});

it.each([
  ["not JSON", "not json", "expected object"],
  ["no nodes", '{"nodes": []}', "Too small"],
  [
    "a role that is not there",
    [{ key: "a", kind: "agent", role: "reseacher", prompt: "p" }],
    'did you mean "researcher"',
  ],
  ["a job that is not there", [{ key: "a", kind: "job", job: "nope" }], 'there is no job "nope"'],
  ["a command where there are none", [{ key: "a", kind: "command", command: "x" }], "there are no commands"],
  ["an agent without a prompt", [{ key: "a", kind: "agent", role: "researcher" }], '"nodes.0.prompt"'],
  [
    "a circle",
    [
      { key: "a", kind: "host", prompt: "p", needs: ["b"] },
      { key: "b", kind: "host", prompt: "p", needs: ["a"] },
    ],
    "a → b → a",
  ],
  ["too many", Array.from({ length: 5 }, (_, at) => ({ key: `n${at}`, kind: "host", prompt: "p" })), "allows 4"],
])("%s is sent back with the reason", (_name, nodes, reason) => {
  const found = typeof nodes === "string" ? readDecomposition(nodes, material) : read(nodes);
  expect(found).toEqual({ ok: false, problem: expect.stringContaining(reason) });
});

it("the planner is offered what is signed alone, and told what was wrong before", () => {
  const prompt = decomposePrompt({ ...material, problem: "a: there is no role" });
  expect(prompt).toContain("- researcher: what researcher does");
  expect(prompt).not.toContain("draft-role");
  expect(prompt).toContain("Commands:\n(none)");
  expect(prompt).toContain("cannot be used: a: there is no role");
});
