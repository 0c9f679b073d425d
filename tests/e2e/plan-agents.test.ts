import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { type OllamaChat, type OllamaReply, ollamaServer } from "../support/ollama-server.ts";

const models = ["qwen3:4b", "large"];
const roles = ["planner", "researcher", "integrator"];

const decomposition = {
  nodes: [
    ...["red", "green", "blue"].map((key) => ({ key, kind: "agent", role: "researcher", prompt: `Look at ${key}.` })),
    { key: "all", kind: "merge", role: "", prompt: "", needs: ["red", "green", "blue"] },
  ],
};

const isFor = ({ messages }: OllamaChat, words: string) => messages.some(({ content }) => content.includes(words));

/** Signed roles that only answer, on two models of the stand-in. */
async function signRoles(home: E2eHome): Promise<void> {
  const folder = join(home.root, "home", "roles");
  mkdirSync(folder, { recursive: true });
  for (const role of roles) {
    writeFileSync(
      join(folder, `${role}.md`),
      `---\ndescription: The ${role} of a test\nmodels: [${models.map((model) => `"ollama:${model}"`).join(", ")}]\n---\nYou are the ${role}.\n`,
    );
  }
  home.setUpUnprotected();
  // Roles of these names came along: what is signed too early is those.
  const read = async () => must(await home.jr(["role", "list"])).stdout.match(/ home /g)?.length;
  await expect.poll(read, { timeout: 30_000, interval: 500 }).toBe(roles.length);
  must(await home.approve(...roles.map((role) => `role:${role}`)));
}

test("a goal is decomposed, worked on by three local agents at once, merged and reported; a refused answer escalates; a daemon that dies half-way goes on without repeating anything", async () => {
  /** The third of the second round never comes, until the daemon has died. */
  let stalls = false;
  const reply = (chat: OllamaChat): OllamaReply => {
    if (isFor(chat, "You are the planner.")) return { pieces: [JSON.stringify(decomposition)], promptTokens: 300 };
    if (isFor(chat, "You are the integrator.")) {
      const found = ["red", "green", "blue"].filter((each) => isFor(chat, `${each} is a colour`));
      return { pieces: [`merged ${found.join(" ")}`], promptTokens: 200 };
    }
    if (isFor(chat, "Give a number")) return { pieces: [chat.model === "large" ? '{"n": 7}' : '{"n": "seven"}'] };
    const colour = ["red", "green", "blue"].find((each) => isFor(chat, `Look at ${each}.`)) ?? "nothing";
    if (stalls && colour === "blue") return { end: "stalled", pieces: [] };
    return { pieces: [`${colour} is a colour`], promptTokens: 100 };
  };
  await using ollama = await ollamaServer({ models, reply });
  await using home = await e2eHome();
  home.env.OLLAMA_HOST = ollama.url;
  // One answer that never comes must not keep the others waiting.
  writeFileSync(join(home.root, "home", "config.yaml"), "ollama:\n  concurrency: 3\n");
  await using host = await home.host();
  await host.call("status");
  await signRoles(home);

  const dry = await host.call("plan_create", { goal: "colours", nodes: decomposition.nodes, dry_run: true });
  expect(dry.isError).toBe(true);
  const goal = { goal: "Find out about colours" };
  const made = await host.call("plan_create", { ...goal, wait_seconds: 50 });
  const done = made.text.includes("succeeded:")
    ? made
    : await host.call("plan_control", { plan: "P1", wait_seconds: 50 });
  expect(done.text).toContain("# P1 succeeded");
  expect(done.text).toContain("merged red green blue");
  expect(done.text).toMatch(/used: 5 of 30 agents, \d{3,} of/);
  const report = await host.call("plan_control", { plan: "P1", action: "report" });
  expect(report.text).toMatch(/## Artifacts[\s\S]*all\/output\.md \(\d+ bytes, sha256:[0-9a-f]{64}\)/);
  const file = join(home.root, "home", "plans", "P1", "report.md");
  await expect.poll(() => existsSync(file) && readFileSync(file, "utf8")).toContain("merged red green blue");
  expect((await host.call("task_list", { plan: "P1", state: "all" })).text.match(/done/g)?.length).toBeGreaterThan(4);

  const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const oracle = { kind: "schema", schema, attempts: 2 };
  const nodes = [{ key: "number", role: "researcher", prompt: "Give a number.", oracle }];
  await host.mustCall("plan_create", { goal: "a number", nodes, wait_seconds: 50 });
  const number = await host.call("plan_control", { plan: "P2", node: "number", wait_seconds: 50 });
  expect(number.text).toContain('{"n": 7}');
  expect(number.text).toContain("large");
  const asked = ollama.chats.filter((chat) => isFor(chat, "Give a number")).map(({ model }) => model);
  expect(asked).toEqual(["qwen3:4b", "qwen3:4b", "large"]);

  stalls = true;
  const before = ollama.chats.length;
  await host.mustCall("plan_create", { ...goal, nodes: decomposition.nodes.map(withoutBlanks) });
  await expect
    .poll(async () => (await host.call("plan_control", { plan: "P3" })).text, { timeout: 60_000, interval: 300 })
    .toMatch(/2 succeeded/);
  process.kill(home.daemonPid(), "SIGKILL");
  stalls = false;
  must(await home.jr(["start"]));
  await using again = await home.host();
  await expect
    .poll(async () => (await again.call("plan_control", { plan: "P3", wait_seconds: 20 })).text, { timeout: 90_000 })
    .toContain("# P3 succeeded");
  const later = ollama.chats.slice(before);
  for (const colour of ["red", "green"]) {
    const own = later.filter((chat) => isFor(chat, `Look at ${colour}.`) && isFor(chat, "You are the researcher."));
    expect(own.length).toBe(1);
  }
  expect((await again.call("plan_control", { plan: "P3" })).text).toContain("merged red green blue");
}, 240_000);

function withoutBlanks(node: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== ""));
}
