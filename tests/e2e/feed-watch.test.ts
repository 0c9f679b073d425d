import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../server/home.ts";
import { e2eHome, must, saveJob } from "../support/e2e-home.ts";
import { webServer } from "../support/web-server.ts";

const samples = join(packageRoot, "node_modules", "feed-reader", "test-data");
const atom = readFileSync(join(samples, "atom-feed-standard-realworld.xml"), "utf8");
const rss = readFileSync(join(samples, "rss-feed-standard-realworld.xml"), "utf8");

/** A document as it was before its newest entries came. */
const before = (document: string, tag: string, entries: number) =>
  Array.from({ length: entries }).reduce<string>(
    (text) => text.replace(new RegExp(`<${tag}>[\\s\\S]*?</${tag}>`), ""),
    document,
  );

test("the feed-watch job stores a real Atom and a real RSS feed, then reports only what is new", async () => {
  let fresh = false;
  await using web = await webServer((request, response) => {
    if (request.url === "/atom") response.end(fresh ? atom : before(atom, "entry", 2));
    else response.end(fresh ? rss : before(rss, "item", 3));
  });
  await using home = await e2eHome();
  home.setUpUnprotected();
  const job = readFileSync(join(packageRoot, "jobs", "feed-watch.ts"), "utf8")
    .replace(
      /const feeds = \[.*\];/,
      `const feeds = ["http://127.0.0.1:${web.port}/atom", "http://127.0.0.1:${web.port}/rss"];`,
    )
    .replace(/net: \[.*?\]/, `net: [{ host: "127.0.0.1:${web.port}", private: true }]`);
  await using host = await home.host();
  saveJob(home, "feed-watch", job);
  await expect.poll(async () => (await host.call("job_list")).text, { timeout: 30_000 }).toContain("feed-watch");
  must(await home.approve("feed-watch"));

  const first = await host.call("job_run", { name: "feed-watch", wait_seconds: 30 });
  expect(first.text).toContain("succeeded");
  const output = async (text: string) =>
    (await host.call("run_read", { run: /R\d+/.exec(text)?.[0], part: "output" })).text;
  expect(await output(first.text)).toMatch(/"new":\s*\[\]/);

  fresh = true;
  const second = await host.call("job_run", { name: "feed-watch", wait_seconds: 30 });
  expect((await output(second.text)).match(/"id":/g)).toHaveLength(5);

  const third = await host.call("job_run", { name: "feed-watch", wait_seconds: 30 });
  expect(await output(third.text)).toMatch(/"new":\s*\[\]/);
});
