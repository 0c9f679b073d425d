import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { type WebServer, webServer } from "../support/web-server.ts";

/** This machine may have a lot to do. */
const patient = { timeout: 60_000 };
const secret = "hunter2-hunter2";

/** Fails while the server does. */
const feed = (port: number) => `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "Asks a server",
  permissions: { net: [{ host: "127.0.0.1:${port}", private: true }] },
  input: z.object({ n: z.number() }),
  async run({ input }) {
    const response = await fetch("http://127.0.0.1:${port}/feed/" + input.n);
    if (!response.ok) throw new Error("status " + response.status + ", is ${secret} out of date?");
    return input.n;
  },
});
`;
/** Would be tried three times, but says that it is no use. */
const gone = `import { defineJob, PermanentError } from "jobrunner";
class Gone extends PermanentError {}
export default defineJob({
  description: "Looks for what is not there",
  retry: { attempts: 3, delay: "1s" },
  run() {
    throw new Gone("the page is gone");
  },
});
`;

function settings(home: E2eHome, port: number): void {
  const folder = home.env.JOBRUNNER_HOME ?? "";
  const hook = (path: string, at: number) => `{ kind: webhook, url: "http://127.0.0.1:${at}/${path}" }`;
  const targets = `me: ${hook("alerts", port)}\n    broken: ${hook("none", 9)}`;
  writeFileSync(
    join(folder, "config.yaml"),
    `notify:\n  default: me\n  targets:\n    ${targets}\nalerts:\n  targets: [me, broken]\n`,
  );
  writeFileSync(join(folder, ".env"), `TOKEN=${secret}\n`, { mode: 0o600 });
}

/** Lines of the messages that arrived. */
const alertsAt = (web: WebServer) =>
  web.requests.filter(({ url }) => url === "/alerts").flatMap(({ body }) => String(JSON.parse(body).text).split("\n"));

test("failures are told once, wait as dead letters, and are redriven or dismissed by the person or an agent", {
  timeout: 180_000,
}, async () => {
  let down = true;
  await using web = await webServer(({ url = "" }, response) => {
    response.statusCode = down && url.startsWith("/feed") ? 503 : 200;
    response.end();
  });
  await using home = await e2eHome();
  settings(home, web.port);
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "feed", source: feed(web.port) });
  await host.mustCall("job_submit", { name: "gone", source: gone });
  for (const job of ["feed", "gone"]) must(await home.approve(job));
  expect(must(await home.jr(["dead"])).stderr).toContain("No dead letters");
  for (const n of [1, 2]) await host.call("job_run", { name: "feed", input: { n }, wait_seconds: 30 });
  const third = await host.call("job_run", { name: "gone", wait_seconds: 30 });
  expect(third.text).toContain("the page is gone");
  expect(JSON.parse(must(await home.jr(["show", "R3", "--json"])).stdout).attempts).toHaveLength(1);

  // Told once each, with the failures that came together in one line, and without the secret's value.
  await expect.poll(() => alertsAt(web).filter((line) => line.includes("jr show")), patient).toHaveLength(2);
  expect(alertsAt(web).join("\n")).toMatch(/of feed failed: status 503, is jrsecret_token_\w+ out of date\?/);
  expect(alertsAt(web).join("\n")).toMatch(/R3 of gone failed: the page is gone\. jr show R3/);
  expect(JSON.stringify(web.requests)).not.toContain(secret);
  await expect
    .poll(() => home.jr(["status"]).then(({ stdout }) => stdout), patient)
    .toMatch(/Alerts do not reach\n {2}broken, since/);
  const status = must(await home.jr(["status"])).stdout;
  expect(status).toContain("3 runs failed for good");
  const doctor = JSON.parse((await home.jr(["doctor", "--json"])).stdout) as {
    name: string;
    level: string;
    text: string;
  }[];
  expect(doctor.find(({ name }) => name === "alerts")).toMatchObject({
    level: "warn",
    text: expect.stringMatching(/^broken does not take them: .* was not delivered/),
  });

  const listed = must(await home.jr(["dead"])).stdout;
  expect(listed).toMatch(/gone\s+threw \(permanent\)\s+1 .*R3\s+the page is gone/);
  expect(listed).toMatch(/feed\s+threw \(transient\)\s+2 .*R2\s+status 503/);
  expect(JSON.parse(must(await home.jr(["dead", "--job", "feed", "--since", "1d", "--json"])).stdout)).toMatchObject([
    { job: "feed", reason: "threw", class: "transient", count: 2, run: "R2" },
  ]);
  expect(JSON.parse(must(await home.jr(["dead", "--reason", "fetch_failed", "--json"])).stdout)).toEqual([]);
  expect(must(await home.jr(["runs", "--state", "dead"])).stdout.match(/^R\d+/gm)).toEqual(["R3", "R2", "R1"]);

  down = false;
  const dead = await host.call("run_list", { state: "dead" });
  expect(dead.text.match(/\bR\d+\b/g)).toEqual(["R3", "R2", "R1"]);
  expect((await host.call("status")).text).toContain('run_list {"state": "dead"}');
  expect((await host.call("run_read", { run: "R1" })).text).toContain('"action": "redrive"');
  expect((await host.call("run_control", { run: "R1", action: "redrive" })).text).toMatch(
    /R1 of feed runs once more as R4/,
  );
  expect((await host.call("run_control", { run: "R1", action: "redrive" })).text).toMatch(/redriven before, as R4/);
  expect((await host.call("run_control", { run: "R3", action: "dismiss" })).isError).toBe(true);
  expect((await host.call("run_read", { run: "R4", wait_seconds: 30 })).text).toMatch(/succeeded[\s\S]*repeats R1/);
  await expect.poll(() => alertsAt(web).filter((line) => line.startsWith("Over after")), patient).toHaveLength(1);

  expect(must(await home.jr(["redrive", "--job", "feed"])).stdout).toBe("R2 of feed runs once more as R5.\n");
  expect(must(await home.jr(["redrive", "R1", "R2"])).stdout).toBe(
    "R1 of feed was redriven before, as R4.\nR2 of feed was redriven before, as R5.\n",
  );
  expect(must(await home.jr(["show", "R2"])).stdout).toMatch(/redriven\s+as R5/);
  expect((await host.call("run_read", { run: "R5", wait_seconds: 30 })).text).toContain("succeeded");
  expect(must(await home.jr(["dismiss", "--job", "gone", "--reason", "threw"])).stdout).toBe(
    "Dismissed: R3 of gone.\n",
  );
  expect(must(await home.jr(["dead"])).stderr).toContain("No dead letters");
  const after = must(await home.jr(["status"])).stdout;
  expect(after).not.toMatch(/Dead letters|the page is gone/);

  for (const [args, message] of [
    [["redrive"], "Which runs?"],
    [["redrive", "R1", "--job", "feed"], "not both"],
    [["redrive", "R4"], "it is succeeded"],
    [["redrive", "--job", "nothing"], 'no job "nothing"'],
    [["dismiss", "R3"], "it was dismissed"],
    [["dismiss", "R99"], "R99"],
    [["dead", "--since", "soon"], '--since is a time such as "2d"'],
    [["dead", "--reason", "bad luck"], "reason"],
  ] as const) {
    const said = await home.jr(args);
    expect(said.code, args.join(" ")).toBe(1);
    expect(said.stderr, args.join(" ")).toContain(message);
  }
});
