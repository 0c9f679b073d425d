import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type TestJobs, testJobs } from "../../tests/support/jobs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import type { Pool } from "../sandbox/types.ts";
import { checkJob } from "./check-job.ts";
import { submitJob } from "./submit-job.ts";
import { readTemplate, templates } from "./templates.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

/** A server on this machine that answers what `pages` says now, and keeps what was posted. */
async function openServer() {
  const pages = new Map<string, { status: number; type: string; body: string }>();
  const posted: string[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === "POST") posted.push(await bodyOf(request));
    const { status, type, body } = pages.get(request.url ?? "") ?? {
      status: request.method === "POST" ? 200 : 404,
      type: "text/plain",
      body: "",
    };
    response.writeHead(status, { "content-type": type }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    host: `127.0.0.1:${port}`,
    posted,
    json: (path: string, value: unknown) =>
      pages.set(path, { status: 200, type: "application/json", body: JSON.stringify(value) }),
    page: (path: string, status: number, body = "") => pages.set(path, { status, type: "text/xml", body }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

/** Submits and signs a template whose hosts are all `host`. */
async function install(jobs: TestJobs, name: string, host: string): Promise<void> {
  const { source } = await readTemplate(name);
  const local = source
    .replaceAll(/https:\/\/(?:api|www)\.example\.org|https:\/\/nodejs\.org/g, `http://${host}`)
    .replace(/net: \["[^"]+"\]/, `net: [{ host: "${host}", private: true }]`)
    .replaceAll('"hooks.example.org"', `"${host}"`);
  const result = await submitJob(jobs.deps, {
    name,
    source: local,
    note: null,
    dryRun: false,
    proposedBy: "test",
    writeFolder: false,
  });
  expect(result).toMatchObject({ outcome: "created", warnings: [] });
  await jobs.approve(name);
}

async function output(jobs: TestJobs, name: string, host: string): Promise<unknown> {
  const outcome = await jobs.run(name, { CHAT_WEBHOOK: `http://${host}/hook` });
  expect(outcome).toMatchObject({ state: "succeeded", error: null });
  return JSON.parse(("output" in outcome ? outcome.output : null) ?? "null");
}

describe("templates, run for real", () => {
  test("json-change tells the webhook of a change, once", async () => {
    await using jobs = await testJobs(pool);
    await using server = await openServer();
    await install(jobs, "json-change", server.host);
    server.json("/releases/latest", { name: "x", version: "1.0" });
    expect(await output(jobs, "json-change", server.host)).toEqual({ changed: false, value: "1.0" });
    server.json("/releases/latest", { name: "x", version: "1.1" });
    expect(await output(jobs, "json-change", server.host)).toEqual({ changed: true, before: "1.0", value: "1.1" });
    expect(await output(jobs, "json-change", server.host)).toEqual({ changed: false, value: "1.1" });
    expect(server.posted).toEqual([
      JSON.stringify({ text: `Changed from 1.0 to 1.1: http://${server.host}/releases/latest` }),
    ]);
  });

  test("threshold-alert tells when the value crosses the threshold and when it is back, and not in between", async () => {
    await using jobs = await testJobs(pool);
    await using server = await openServer();
    await install(jobs, "threshold-alert", server.host);
    for (const usedPercent of [80, 91, 88, 92, 84, 89]) {
      server.json("/metrics/disk", { usedPercent });
      await output(jobs, "threshold-alert", server.host);
    }
    expect(server.posted.map((body) => JSON.parse(body).text.split(" (")[0])).toEqual([
      "Above 90: 91",
      "Back below 85: 84",
    ]);
  });

  test("uptime-check tells when two checks in a row failed and when the site is up again", async () => {
    await using jobs = await testJobs(pool);
    await using server = await openServer();
    await install(jobs, "uptime-check", server.host);
    for (const status of [200, 500, 503, 500, 200]) {
      server.page("/", status);
      await output(jobs, "uptime-check", server.host);
    }
    expect(server.posted.map((body) => JSON.parse(body).text)).toEqual([
      `DOWN: http://${server.host}/ (answered 503)`,
      `Up again: http://${server.host}/`,
    ]);
  });

  test("feed-watch remembers at first and then reports new entries only", async () => {
    await using jobs = await testJobs(pool);
    await using server = await openServer();
    await install(jobs, "feed-watch", server.host);
    const feed = (items: string) =>
      `<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>${items}</channel></rss>`;
    const old = "<item><title>Old</title><link>http://example.org/old</link><guid>1</guid></item>";
    const fresh =
      '<item><title><![CDATA[A <b>new</b> one & more </item>]]></title><link>/new?a=1&amp;b=2</link><guid isPermaLink="false">2</guid></item>';
    server.page("/en/feed/releases.xml", 200, feed(old));
    expect(await output(jobs, "feed-watch", server.host)).toEqual({ checked: 1, failed: [], new: [] });
    server.page("/en/feed/releases.xml", 200, feed(fresh + old));
    expect(await output(jobs, "feed-watch", server.host)).toMatchObject({
      new: [{ id: "2", title: "A new one & more", link: `http://${server.host}/new?a=1&b=2` }],
    });
    expect(await output(jobs, "feed-watch", server.host)).toMatchObject({ new: [] });
  });
});

/** What each template asks for besides limits; a new template starts here. */
const asksFor: Readonly<Record<string, readonly string[]>> = {
  "json-change": ["net", "secrets"],
  "feed-watch": ["net"],
  "threshold-alert": ["net", "secrets"],
  "uptime-check": ["net", "secrets"],
  "notes-digest": ["files"],
  "weekly-report": ["net"],
  "llm-summary": ["llm", "net", "notify"],
  "ask-before-post": ["net", "secrets"],
  "follow-up": ["net", "notify"],
  "git-digest": ["exec"],
  "webhook-notify": ["notify"],
  "inbox-report": ["files"],
  "after-job": ["notify"],
};

test.each(templates)(
  "$name compiles without a warning, freezes, and asks for no more than it says",
  async ({ name }) => {
    const { source } = await readTemplate(name);
    const config = { jobsFolder: "no-folder", timezone: "UTC", locale: "en-US" };
    const files = new Map([[`${name}.ts`, Buffer.from(source)]]);
    const checked = await checkJob(
      { config, pool, clock: () => new Date("2026-11-01T00:00:00Z") },
      { entry: `${name}.ts`, files },
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.diagnostics, null, 2));
    expect(checked.job.warnings).toEqual([]);
    const { files: folders, ...rest } = checked.manifest.permissions;
    const asked = Object.entries({ ...rest, files: [...folders.read, ...folders.write] }).filter(
      ([, power]) => Object.keys(power ?? {}).length > 0,
    );
    expect(asked.map(([power]) => power).sort()).toEqual(asksFor[name]);
  },
);

test("every template stands in the table here, and an unknown one is refused with the names that there are", async () => {
  expect(templates.map(({ name }) => name)).toEqual(Object.keys(asksFor));
  await expect(readTemplate("nope")).rejects.toMatchObject({
    code: "template_not_found",
    next: expect.stringContaining("json-change"),
  });
});
