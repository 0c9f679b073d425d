import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { statusAnswer } from "../../server/cli/status-answer.ts";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { listWorkers, startE2eWorker } from "../support/e2e-worker.ts";

const slow = { timeout: 300_000 };
const soon = { timeout: 60_000, interval: 250 };
const onPostgres = process.env.TEST_STORE === "postgres";
const details = z.object({
  run: z.object({ state: z.string(), output: z.string().nullable() }),
  attempts: z.array(z.object({ worker: z.string(), state: z.string() })),
  waits_for: z.string().nullable(),
});

const declared = (parts: string, run: string) => `import { defineJob } from "jobrunner";
export default defineJob({ description: "a test", ${parts}, async run({ kv, files, secrets, log }) { ${run} } });
`;

/** Counts how often it began, then waits for a file. */
const waiting = (home: E2eHome) =>
  declared(
    `runsOn: ["pair"], permissions: { files: { read: [${JSON.stringify(join(home.root, "gate"))}] } }, limits: { timeout: "5m", effects: 50000 }`,
    `await kv.set("begun", ((await kv.get<number>("begun")) ?? 0) + 1);
     while ((await files.list(${JSON.stringify(join(home.root, "gate"))})).length === 0)
       await new Promise((resolve) => setTimeout(resolve, 200));
     return await kv.get("begun");`,
  );

async function approved(home: E2eHome, name: string, source: string): Promise<void> {
  const file = join(home.root, `${name}.ts`);
  writeFileSync(file, source);
  must(await home.jr(["submit", file]));
  must(await home.approve(name));
}
async function start(home: E2eHome, job: string): Promise<string> {
  return must(await home.jr(["run", job])).stdout.split(" ")[0] ?? "";
}
async function read(home: E2eHome, run: string) {
  return details.parse(JSON.parse(must(await home.jr(["show", run, "--json"])).stdout));
}
/** Waits for a run's end; the machine that executed it. */
async function executedBy(home: E2eHome, run: string): Promise<string> {
  await expect.poll(async () => (await read(home, run)).run.state, soon).toBe("succeeded");
  return (await read(home, run)).attempts.at(-1)?.worker ?? "nobody";
}
const runningOn = async (home: E2eHome, run: string) => {
  const { run: now, attempts } = await read(home, run);
  return now.state === "running" ? attempts.at(-1)?.worker : now.state;
};
const standings = async (home: E2eHome) =>
  Object.fromEntries((await listWorkers(home)).map(({ name, state }) => [name, state]));
const alerts = async (home: E2eHome) =>
  statusAnswer.parse(JSON.parse(must(await home.jr(["status", "--json"])).stdout)).alerts.map(({ message }) => message);

test.runIf(onPostgres)("a run goes to the machine that it asks for and that can serve it", slow, async () => {
  await using home = await e2eHome();
  home.setUpUnprotected();
  must(await home.jr(["start"]));
  await using gpu = await startE2eWorker(home, "gpu-box", { labels: "gpu", secrets: "TOKEN=hunter2hunter2\n" });
  await using bare = await startE2eWorker(home, "bare-box", { labels: "bare", trusts: false });
  const [onGpu, onBare] = [await gpu.name(), await bare.name()];

  await approved(home, "asks", declared(`runsOn: ["gpu"]`, `return 1;`));
  const secret = `permissions: { secrets: { TOKEN: ["api.example.org"] } }`;
  await approved(home, "needs", declared(secret, `return (await secrets.get("TOKEN")).length > 0;`));
  await approved(home, "nowhere", declared(`runsOn: ["tpu"]`, `return 1;`));
  await approved(home, "bares", declared(`runsOn: ["bare"]`, `return 1;`));
  await approved(home, "anywhere", declared(`limits: {}`, `return 1;`));

  const [asks, needs, nowhere, bares] = [
    await start(home, "asks"),
    await start(home, "needs"),
    await start(home, "nowhere"),
    await start(home, "bares"),
  ];
  expect(await executedBy(home, asks)).toBe(onGpu);
  expect(await executedBy(home, needs)).toBe(onGpu);
  for (let n = 0; n < 2; n += 1) expect(await executedBy(home, await start(home, "anywhere"))).not.toBe(onBare);

  // What waits says why, to the person and to a host.
  expect(await read(home, nowhere)).toMatchObject({ run: { state: "queued" }, attempts: [] });
  expect(must(await home.jr(["show", nowhere])).stdout).toMatch(/^waits .*label tpu/m);
  expect((await read(home, bares)).waits_for).toMatch(/label bare; .*: it trusts no key/);
  await using host = await home.host();
  expect((await host.call("run_read", { run: nowhere })).text).toMatch(/it waits: .*label tpu/);
  const { text } = await host.call("status");
  expect(text).toContain(`- ${onGpu}: active, `);
  expect(text).toMatch(new RegExp(`^- ${onBare}: active, .*bare.*; takes no runs: it trusts no key`, "m"));
  expect((await host.call("job_review", { name: "asks" })).text).toContain("machines with the labels: gpu");

  // What nobody trusts here is this machine's matter, not a forged decision.
  expect(bare.said()).toContain("it takes no runs yet: it trusts no key. On your machine: ");
  const table = must(await home.jr(["workers"])).stdout;
  expect(table).toMatch(new RegExp(`^${onGpu} +worker +active +\\d/\\d +\\S+ .* ago +.*gpu`, "m"));
  expect(table).toContain(`${onBare} takes no runs: it trusts no key`);
  expect(table).toContain(`${onGpu} leaves nowhere to others: it has no label tpu`);
  expect((await alerts(home)).filter((message) => message.includes("refused"))).toEqual([]);

  bare.trust();
  expect(await executedBy(home, bares)).toBe(onBare);
  must(await home.jr(["cancel", nowhere]));
  expect((await read(home, nowhere)).run.state).toBe("cancelled");
  expect((await host.call("run_list", { state: "failed" })).text).toContain("No runs");
});

test.runIf(onPostgres)(
  "a machine that is lost or stops hands its runs on, a cancel reaches a run there, and workers tell of it all",
  slow,
  async () => {
    await using home = await e2eHome();
    mkdirSync(join(home.root, "gate"));
    home.setUpUnprotected();
    must(await home.jr(["start"]));
    await using first = await startE2eWorker(home, "first", { labels: "pair" });
    const a = await first.name();
    await approved(home, "waiting", waiting(home));
    const run = await start(home, "waiting");
    await expect.poll(() => runningOn(home, run), soon).toBe(a);
    await using second = await startE2eWorker(home, "second", { labels: "pair" });
    const b = await second.name();

    // Lost: its run goes on from its journal, and the person is told.
    expect(await first.end("SIGKILL")).toBeNull();
    await expect.poll(() => runningOn(home, run), soon).toBe(b);
    await expect.poll(() => standings(home), soon).toMatchObject({ [a]: "lost", [b]: "active" });
    const lost = expect.stringMatching(/^worker on .* stopped without a word/);
    expect(await alerts(home)).toEqual([lost]);
    expect((await home.jr(["doctor"])).stdout).toMatch(new RegExp(`^warn +workers +${a} is lost`, "m"));

    // Back: the same machine under another name, and nothing is amiss.
    await using third = await startE2eWorker(home, "first", { labels: "pair" });
    const c = await third.name();
    expect(await standings(home)).toMatchObject({ [b]: "active", [c]: "active" });
    expect(await standings(home)).not.toHaveProperty([a]);
    expect(await alerts(home)).toEqual([]);

    // Stopped: it takes no more, gives its run its time, then hands it on.
    const stopping = second.end("SIGTERM");
    await expect.poll(() => standings(home), soon).toMatchObject({ [b]: "draining" });
    expect(await stopping).toBe(0);
    expect(second.said()).toContain("stopping: runs get 10 seconds");
    expect(await standings(home)).toMatchObject({ [b]: "ended", [c]: "active" });
    await expect.poll(() => runningOn(home, run), soon).toBe(c);
    must(await home.jr(["workers", "remove", b]));
    expect(await home.jr(["workers", "remove", c])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("active"),
    });
    expect(Object.keys(await standings(home))).toHaveLength(2);
    expect(await alerts(home)).toEqual([]);

    // It has begun once, on the first machine; nothing on record was repeated on the others.
    writeFileSync(join(home.root, "gate", "open"), "");
    expect(await executedBy(home, run)).toBe(c);
    expect(await read(home, run)).toMatchObject({ run: { output: "1" }, attempts: [{ state: "succeeded" }] });
  },
);

test.runIf(onPostgres)("a person at the daemon cancels what runs on another machine", slow, async () => {
  await using home = await e2eHome();
  mkdirSync(join(home.root, "gate"));
  home.setUpUnprotected();
  must(await home.jr(["start"]));
  await using worker = await startE2eWorker(home, "first", { labels: "pair" });
  const name = await worker.name();
  await approved(home, "waiting", waiting(home));
  const run = await start(home, "waiting");
  await expect.poll(() => runningOn(home, run), soon).toBe(name);
  must(await home.jr(["cancel", run]));
  await expect.poll(async () => (await read(home, run)).run.state, soon).toBe("cancelled");
});
