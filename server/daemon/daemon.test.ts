import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { jrFixture, output } from "../cli/jr-fixture.ts";
import { statusAnswer } from "../cli/status-answer.ts";
import { findDaemonInfo } from "./info.ts";

const slow = { timeout: 120_000 };
const job = `import { defineJob } from "jobrunner";
export default defineJob({ description: "Says hello", schedule: "0 8 * * *", permissions: {}, async run() { return 1; } });
`;

test("start, status, restart and stop, with the state kept", slow, async () => {
  await using fixture = jrFixture();
  const { home, jr } = fixture;
  const down = await jr("status");
  expect(down).toMatchObject({ code: 1, stdout: "" });
  expect(down.stderr).toMatch(/^error: No daemon answers for .*\nnext: .* start\n$/);

  expect(await jr("start")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^JobRunner runs \(pid \d+\): http:/),
  });
  expect(await jr("start")).toMatchObject({ code: 0, stdout: expect.stringContaining("runs already") });
  const before = await status(jr);
  expect(before).toMatchObject({ home: home.root, jobs: 0, store: { kind: "pglite" }, approvals: { set_up: false } });
  for (const path of [home.personToken, home.mcpToken, home.config]) expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(home.root).mode & 0o777).toBe(0o700);

  const { code } = await submit(fixture);
  expect(code).toBe(0);
  expect((await jr("restart")).code).toBe(0);
  const after = await status(jr);
  expect(after.pid).not.toBe(before.pid);
  expect(after.waiting).toMatchObject([{ job: "hello", version: 1 }]);

  expect(await jr("stop")).toMatchObject({ code: 0, stdout: "JobRunner stopped.\n" });
  expect(existsSync(home.info)).toBe(false);
  expect(await jr("stop")).toMatchObject({ code: 0, stdout: expect.stringContaining("No daemon runs") });
});

test("the doors: no token, a foreign Host or Origin, and another user's path get nothing", slow, async () => {
  await using fixture = jrFixture();
  await fixture.jr("start");
  const { home } = fixture;
  const url = findDaemonInfo(home)?.url ?? "";
  const authorization = `Bearer ${readFileSync(home.personToken, "utf8").trim()}`;
  const get = (path: string, headers: Record<string, string>) => fetch(new URL(path, url), { headers });
  expect((await get("/healthz", {})).status).toBe(200);
  const cases = [
    { headers: {}, expected: 401 },
    { headers: { authorization: "Bearer wrong" }, expected: 401 },
    { headers: { authorization: `Bearer ${readFileSync(home.mcpToken, "utf8").trim()}` }, expected: 401 },
    { headers: { authorization, origin: "https://evil.example.org" }, expected: 403 },
    { headers: { authorization }, expected: 200 },
  ];
  for (const { headers, expected } of cases) {
    expect((await get("/api/status", { ...headers })).status, JSON.stringify(headers)).toBe(expected);
  }
  expect(await (await get("/api/nothing", { authorization })).json()).toMatchObject({ code: "invalid_argument" });
});

test("the socket answers initialize while the store still opens", slow, async () => {
  await using fixture = jrFixture();
  const daemon = fixture.spawnJr("daemon", "--log-stderr");
  await output(daemon, /the doors are open/);
  const socket = connect(fixture.home.socket);
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toContain('"serverInfo"');
  const url = findDaemonInfo(fixture.home)?.url ?? "";
  expect([200, 503]).toContain((await fetch(new URL("/healthz", url))).status);
  socket.destroy();
});

test("a PostgreSQL that is away does not end the daemon", slow, async () => {
  await using fixture = jrFixture({ DATABASE_URL: "postgres://nobody:hidden-word@127.0.0.1:1/none" });
  const daemon = fixture.spawnJr("daemon", "--log-stderr");
  const log = await output(daemon, /trying again/);
  expect(log).not.toContain("hidden-word");
  const { code, stderr } = await fixture.jr("status");
  expect(code).toBe(1);
  expect(stderr).toContain("PostgreSQL does not answer");
  const gone = once(daemon, "exit");
  daemon.kill("SIGTERM");
  expect(await gone).toEqual([0, null]);
});

async function status(jr: (...args: string[]) => Promise<{ stdout: string }>) {
  return statusAnswer.parse(JSON.parse((await jr("status", "--json")).stdout));
}

async function submit({ home }: { home: ReturnType<typeof jrFixture>["home"] }): Promise<{ code: number }> {
  const token = readFileSync(home.personToken, "utf8").trim();
  const response = await fetch(new URL("/api/jobs", findDaemonInfo(home)?.url ?? ""), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "hello", source: job }),
  });
  return { code: response.ok ? 0 : response.status };
}
