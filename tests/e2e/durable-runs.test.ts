import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { webServer } from "../support/web-server.ts";

/** 200 effects, three at a time: requests that must each be made once, and the job's own store. */
const long = (port: number) => `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Two hundred effects",
  permissions: { net: [{ host: "127.0.0.1:${port}", private: true }] },
  limits: { timeout: "5m" },
  onUncertain: "repeat",
  async run({ kv, log }) {
    const seen: string[] = [];
    for (let i = 0; i < 50; i++) {
      const one = async (name: string, method: string) => {
        const response = await fetch("http://127.0.0.1:${port}/" + name, { method });
        seen.push(await response.text());
      };
      await Promise.all([one("get-" + i, "GET"), one("post-" + i, "POST"), kv.set("i", i)]);
      log.info("round " + i);
      if ((await kv.get<number>("i")) !== i) throw new Error("kv went back in time");
    }
    return seen.length;
  },
});
`;

/** Processes of a daemon that run jobs. */
function runnersOf(pid: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return parent === pid && /sandbox\/child\.[tj]s/.test(words) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function stateOf(home: E2eHome, run: string): Promise<string> {
  return home.jr(["show", run, "--json"]).then(({ stdout }) => JSON.parse(stdout).run.state);
}

test("killed with -9 again and again, daemon and runner, a run of 200 effects makes each request once", {
  timeout: 180_000,
}, async () => {
  const counts = new Map<string, number>();
  await using web = await webServer(({ url = "" }, response) => {
    counts.set(url, (counts.get(url) ?? 0) + 1);
    setTimeout(() => response.end(url), 8);
  });
  await using home = await e2eHome();
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "long", source: long(web.port) });
  must(await home.approve("long"));
  await host.mustCall("job_run", { name: "long" });

  const done = new Map<string, number>();
  const kills = [10, 30, 45, 70, 85] as const;
  for (const [round, at] of kills.entries()) {
    await expect.poll(() => counts.size, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(at);
    const pid = home.daemonPid();
    if (round % 2 === 0) process.kill(pid, "SIGKILL");
    else for (const runner of runnersOf(pid)) process.kill(runner, "SIGKILL");
    // What the journal says is done now must not be asked for again.
    must(await home.jr(["start"]));
    const { stdout } = must(await home.jr(["show", "R1", "--effects", "--json"]));
    const effects: { op: string; args: string; state: string }[] = JSON.parse(stdout);
    for (const { op, args, state } of effects) {
      if (op !== "fetch" || state !== "done") continue;
      const { pathname } = new URL(JSON.parse(args).url);
      if (!done.has(pathname)) done.set(pathname, counts.get(pathname) ?? 0);
    }
  }
  await expect.poll(() => stateOf(home, "R1"), { timeout: 90_000 }).toBe("succeeded");
  expect(must(await home.jr(["show", "R1", "--output"])).stdout.trim()).toBe("100");
  expect(counts.size).toBe(100);
  for (const [path, count] of done) expect(counts.get(path), path).toBe(count);
  // At most what was in flight at a kill was asked for twice.
  const repeated = [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
  expect(repeated).toBeLessThanOrEqual(2 * kills.length);
  const { stdout: log } = must(await home.jr(["log", "R1"]));
  expect(log.match(/round \d+/g)).toEqual(Array.from({ length: 50 }, (_, i) => `round ${i}`));
  const { stdout: shown } = must(await home.jr(["show", "R1", "--json"]));
  expect(JSON.parse(shown).attempts).toHaveLength(1);
});

const asking = (port: number) => `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Asks before it posts",
  permissions: { net: [{ host: "127.0.0.1:${port}", private: true }], run: ["child"] },
  async run({ ask, jobs, sleep }) {
    const colour = await ask("Which colour?", { choices: ["red", "blue"] });
    await sleep("2s");
    const doubled = await jobs.call("child", { n: 21 });
    await fetch("http://127.0.0.1:${port}/" + colour, { method: "POST" });
    return { colour, doubled };
  },
});
`;
const child = `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "Doubles",
  input: z.object({ n: z.number() }),
  run: ({ input }) => input.n * 2,
});
`;

test("a run asks, is answered by the person alone after a kill, calls another job, and posts once", async () => {
  await using web = await webServer((_, response) => response.end());
  await using home = await e2eHome();
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "asking", source: asking(web.port) });
  await host.mustCall("job_submit", { name: "child", source: child });
  must(await home.approve("asking"));
  must(await home.approve("child"));
  const ran = await host.call("job_run", { name: "asking", wait_seconds: 20 });
  expect(ran.text).toContain("suspended");
  expect((await host.call("status")).text).toContain("Which colour?");
  expect(must(await home.jr(["answer", "R1"])).stdout).toContain("red | blue");
  expect(must(await home.jr(["show", "R1"])).stdout).toMatch(/^waits +an answer of the person to: /m);

  process.kill(home.daemonPid(), "SIGKILL");
  must(await home.jr(["start"]));
  const wrong = await home.jr(["answer", "R1", "green"]);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("red, blue")]);
  expect(must(await home.jr(["answer", "R1", "blue"])).stdout).toContain("goes on");
  await expect.poll(() => stateOf(home, "R1"), { timeout: 30_000 }).toBe("succeeded");
  const { stdout } = must(await home.jr(["show", "R1", "--output"]));
  expect(JSON.parse(stdout)).toEqual({ colour: "blue", doubled: 42 });
  expect(web.requests.map(({ url, method }) => [method, url])).toEqual([["POST", "/blue"]]);
  expect((await home.jr(["answer", "R1", "red"])).stderr).toContain("asks nothing");
  const effects = must(await home.jr(["show", "R1", "--effects"])).stdout;
  expect(effects).toMatch(/ask[\s\S]*sleep[\s\S]*run\.start[\s\S]*run\.wait[\s\S]*fetch POST/);
  expect(must(await home.jr(["runs", "--job", "child"])).stdout.match(/^R\d+/gm)).toHaveLength(1);
});
