import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const program = `
  import { createLog } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
  const log = createLog({ level: "info", fileMb: 1, files: 1, stderr: "json" });
  let failures = 0;
  process.on("uncaughtException", (error) => {
    failures += 1;
    if (failures > 100) process.exit(7);
    log.error({ err: error }, "uncaught");
  });
  process.stdin.once("data", () => {
    for (let n = 0; n < 10; n++) log.info("nobody reads this");
    setTimeout(() => {
      log.info("nor this");
      process.stdout.write("alive " + failures);
      process.stdin.destroy();
    }, 50);
  });
  log.info("ready");
`;

test("a process whose log nobody reads any more goes on", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "pipe" });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child.stderr, "data");
  child.stderr.destroy();
  child.stdin.write("go\n");
  const [code] = await once(child, "close");
  expect([code, said]).toEqual([0, "alive 0"]);
});
