import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { packageRoot } from "../../server/home.ts";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { readExposition, type Sample, sampleOf } from "../support/exposition.ts";
import { ollamaServer } from "../support/ollama-server.ts";

const source = `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "Fails where it is asked to",
  schedule: { cron: "0 0 1 1 *" },
  retry: { attempts: 2, backoff: "fixed", delay: "1ms", maxDelay: "1ms" },
  input: z.object({ fail: z.boolean().default(false) }),
  async run({ input, kv }) {
    await kv.set("last", 1);
    if (input.fail) throw new Error("as asked");
    return 1;
  },
});
`;
const read = (path: string) => readFileSync(join(packageRoot, "docker", path), "utf8");
const keysOf = (home: E2eHome, name: string) => join(home.env.JOBRUNNER_HOME ?? "", name);

let home: E2eHome;
let url: string;
let ollama: Awaited<ReturnType<typeof ollamaServer>>;

beforeAll(async () => {
  ollama = await ollamaServer({ reply: () => ({ pieces: ["short"], promptTokens: 70 }) });
  home = await e2eHome();
  home.env.OLLAMA_HOST = ollama.url;
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "figures", source });
  must(await home.approve("figures"));
  must(await home.approve("role:summariser"));
  must(await home.jr(["agent", "run", "summariser", "Say it shorter", "--wait"]));
  url = z.object({ url: z.string() }).parse(JSON.parse(readFileSync(keysOf(home, "daemon.json"), "utf8"))).url;
}, 120_000);
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await ollama[Symbol.asyncDispose]();
});

function get(path: string, headers: Record<string, string>): Promise<Response> {
  return fetch(new URL(path, url), { headers });
}

async function scrape(): Promise<Sample[]> {
  const { stdout } = must(await home.jr(["metrics", "--token"]));
  const response = await get("/metrics", { authorization: `Bearer ${stdout.trim()}` });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  return readExposition(await response.text());
}

test("runs that are known are the numbers that are told", async () => {
  // Counters begin at the first scrape.
  const of = (samples: readonly Sample[], name: string, more = {}) =>
    sampleOf(samples, name, { job_name: "figures", ...more });
  expect(of(await scrape(), "jobrunner_runs_ended_total", { state: "succeeded" })).toBe(0);
  for (const fail of [false, false, true])
    await home.jr(["run", "figures", "--input", JSON.stringify({ fail }), "--wait"]);

  const done = async () => (await scrape()).some(({ name }) => name === "jobrunner_run_duration_seconds_count");
  await expect.poll(done, { timeout: 30_000, interval: 500 }).toBe(true);
  const samples = await scrape();
  expect(of(samples, "jobrunner_runs_ended_total", { state: "succeeded" })).toBe(2);
  expect(of(samples, "jobrunner_runs_ended_total", { state: "failed" })).toBe(1);
  expect(of(samples, "jobrunner_run_retries_total")).toBe(1);
  expect(of(samples, "jobrunner_run_duration_seconds_count")).toBe(3);
  expect(of(samples, "jobrunner_dead_letters")).toBe(1);
  expect(sampleOf(samples, "jobrunner_effects_total", { op: "kv.set", outcome: "ok" })).toBe(4);
  expect(sampleOf(samples, "jobrunner_alerts_open")).toBe(1);
  expect(sampleOf(samples, "jobrunner_jobs", { state: "active" })).toBe(1);
  expect(sampleOf(samples, "jobrunner_queue_runs", { state: "due" })).toBe(0);
  expect(sampleOf(samples, "jobrunner_workers", { state: "active" })).toBe(1);
  const model = { provider: "ollama", model: "qwen3:4b" };
  expect(sampleOf(samples, "jobrunner_agent_tokens_total", { ...model, kind: "prompt" })).toBe(70);
  expect(sampleOf(samples, "jobrunner_agent_answers_total", { ...model, outcome: "accepted" })).toBe(1);
  expect(sampleOf(samples, "jobrunner_agents", { state: "running" })).toBe(0);
  expect(sampleOf(samples, "jobrunner_store_bytes")).toBeGreaterThan(1_000_000);

  const { stdout } = must(await home.jr(["metrics", "--window", "1h", "--json"]));
  const { window, now } = JSON.parse(stdout);
  expect(window.jobs).toMatchObject([{ job: "figures", runs: 3, succeeded: 2, failed: 1, retries: 1 }]);
  expect(window.effects).toMatchObject([{ op: "kv.set", outcome: "ok", count: 4 }]);
  expect(now.dead).toEqual([{ job: "figures", count: 1 }]);
  const { stdout: text } = must(await home.jr(["metrics"]));
  expect(text).toMatch(/^figures +3 +2 +1 +0 +1 /m);
  expect(text).toContain("agents   0 at work, 0 waiting; so far 70 tokens in prompts");
});

test("only the metrics' own token reads /metrics, under any Host, and it reads nothing else", async () => {
  const token = (name: string) => readFileSync(keysOf(home, `keys/${name}.token`), "utf8").trim();
  const status = async (path: string, authorization: string) =>
    (await get(path, authorization === "" ? {} : { authorization })).status;
  expect(await status("/metrics", "")).toBe(401);
  for (const other of ["person", "mcp"]) expect(await status("/metrics", `Bearer ${token(other)}`), other).toBe(401);
  expect(await status("/metrics", `Bearer ${token("metrics")}`)).toBe(200);
  for (const path of ["/api/metrics", "/api/status", "/api/jobs", "/mcp"]) {
    expect(await status(path, `Bearer ${token("metrics")}`), path).toBe(401);
  }
  expect(await status("/api/metrics?window=7d", `Bearer ${token("person")}`)).toBe(200);
  expect(await status("/api/metrics?window=2y", `Bearer ${token("person")}`)).toBe(400);
});

const expressions = [
  ...z
    .object({
      panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) })),
    })
    .parse(JSON.parse(read("grafana/dashboards/jobrunner.json")))
    .panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
  ...z
    .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) })
    .parse(parse(read("prometheus-rules.yml")))
    .groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ where: `rule ${alert}`, expr }))),
];

/** Words of PromQL, and what Prometheus and Grafana add themselves. */
const known = /^(sum|min|max|by|rate|increase|histogram_quantile|le|up|job|__rate_interval)$/;

describe("what the dashboard and the alert rules ask for is told", () => {
  let samples: Sample[];
  beforeAll(async () => {
    samples = await scrape();
  });

  test.each(expressions)("$where: $expr", ({ expr }) => {
    const names = new Set(samples.map(({ name }) => name));
    const labels = (asked: readonly string[]) =>
      new Set(samples.filter(({ name }) => asked.includes(name)).flatMap((each) => Object.keys(each.labels)));
    const words = [
      ...expr
        .replace(/"[^"]*"/g, "")
        .replace(/\[[^\]]*\]/g, "")
        .matchAll(/[a-zA-Z_]\w*/g),
    ].map(([word]) => word);
    const foreign = words.filter((word) => !known.test(word));
    const metrics = foreign.filter((word) => names.has(word));
    expect(metrics.length > 0 || words.includes("up"), "no metric that there is").toBe(true);
    const rest = foreign.filter((word) => !metrics.includes(word) && !labels(metrics).has(word));
    expect(rest, "neither a metric nor one of its labels").toEqual([]);
    for (const [, state = ""] of expr.matchAll(/state="(\w+)"/g)) {
      expect(samples.some(({ name, labels }) => metrics.includes(name) && labels.state === state)).toBe(true);
    }
  });

  test("a name that is not told would be found", () => {
    expect(expressions.length).toBeGreaterThan(25);
    expect(samples.some(({ name }) => name === "jobrunner_run_duration_seconds_buckets")).toBe(false);
    expect(samples.some(({ name }) => name === "jobrunner_run_duration_seconds_bucket")).toBe(true);
  });
});
