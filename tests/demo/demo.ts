import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, stripVTControlCharacters, styleText } from "node:util";
import { type E2eHome, type E2eHost, e2eHome, must } from "../support/e2e-home.ts";
import { webServer } from "../support/web-server.ts";
import { terminalPicture } from "./terminal-picture.ts";

/*
 * The main job in a throw-away home, with every part real: an MCP client plays the agent, the person's commands are run as a
 * person would, and the job runs on its schedule. `--picture FILE` also draws what was printed.
 */
const { values } = parseArgs({ options: { picture: { type: "string" } } });
const printed: string[] = [];

function print(text: string): void {
  printed.push(text);
  process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
}
const style = (format: Parameters<typeof styleText>[0], text: string) =>
  styleText(format, text, { validateStream: false });
const step = (text: string) => print(style(["bold", "cyan"], `\n# ${text}`));
const command = (text: string) => print(`${style("green", "$")} ${style("bold", text)}`);
const indent = (text: string) => text.trimEnd().replace(/^/gm, "  ");

async function tool(host: E2eHost, name: string, args: Record<string, unknown>, show: (text: string) => string) {
  const shown = Object.entries(args).map(([key, value]) => {
    const text = JSON.stringify(value);
    return `${key}: ${text.length > 40 ? "…" : text}`;
  });
  print(`${style("magenta", "agent →")} ${style("bold", name)} { ${shown.join(", ")} }`);
  const { text } = await host.call(name, args);
  print(indent(show(text)));
  return text;
}

const whole = (text: string) => text;
const firstLines = (count: number) => (text: string) => text.split("\n").filter(Boolean).slice(0, count).join("\n");

const source = (port: number, word: string) => `import { defineJob } from "jobrunner";

export default defineJob({
  description: "Tell when the stock of an article changes",
  schedule: { cron: "*/2 * * * * *" },
  permissions: { net: [{ host: "localhost:${port}", private: true }] },
  async run({ kv, log }) {
    const { stock } = await (await fetch("http://localhost:${port}/stock")).json();
    const before = await kv.get("stock");
    if (stock !== before) log.info(\`${word}: \${before ?? "nothing"} -> \${stock}\`);
    await kv.set("stock", stock);
    return { stock };
  },
});
`;

/** Waits until the job has ended so many runs. */
async function untilRuns(home: E2eHome, count: number): Promise<void> {
  for (;;) {
    const { stdout } = must(await home.jr(["runs", "--job", "stock-watch", "--state", "succeeded"]));
    if ((stdout.match(/^R\d+/gm) ?? []).length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

let stock = 12;
await using web = await webServer((_, response) => response.end(JSON.stringify({ stock })));
await using home = await e2eHome();
home.env.FORCE_COLOR = "1";
delete home.env.NO_COLOR;
{
  await using host = await home.host();

  step("1. The agent writes a job and submits it over MCP");
  await tool(host, "job_submit", { name: "stock-watch", source: source(web.port, "changed") }, firstLines(6));

  step("2. It cannot run: nobody has signed it");
  await tool(host, "job_run", { name: "stock-watch" }, firstLines(1));

  step("3. The person makes a signing key, reads the review and signs");
  command("jr setup");
  await home.setUp();
  print(indent("Passphrase: ********"));
  command("jr review stock-watch");
  print(indent(must(await home.jr(["review", "stock-watch"])).stdout));
  command("jr approve stock-watch");
  print(
    indent(
      must(await home.approve("stock-watch"))
        .stdout.trimEnd()
        .split("\n")
        .slice(-2)
        .join("\n"),
    ),
  );

  step("4. It runs by itself, every two seconds, without any model");
  await untilRuns(home, 2);
  stock = 11;
  await untilRuns(home, 4);
  command("jr runs --job stock-watch");
  print(indent(must(await home.jr(["runs", "--job", "stock-watch"])).stdout));
  const list = await host.call("run_list", { job: "stock-watch", limit: 10 });
  for (const run of list.text.match(/R\d+/g)?.toReversed() ?? []) {
    const { text } = await host.call("run_read", { run, part: "log" });
    if (!text.includes("12 -> 11")) continue;
    await tool(host, "run_read", { run, part: "log" }, whole);
    break;
  }

  step("5. The agent edits the job: the new version waits, the signed one goes on");
  await tool(host, "job_submit", { name: "stock-watch", source: source(web.port, "NEW CODE") }, firstLines(3));
  stock = 10;
  await untilRuns(home, 6);
  command("jr job stock-watch");
  print(indent(must(await home.jr(["job", "stock-watch"])).stdout));
}
if (values.picture) {
  writeFileSync(values.picture, terminalPicture(printed.join("\n")));
  const size = readFileSync(join(values.picture)).length;
  process.stdout.write(`\npicture: ${values.picture}, ${size} bytes\n`);
}
