import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { canCutNetwork, runnerCommand } from "./runner-command.ts";

const dial = (port: number) => `
  const socket = require("node:net").connect(${port}, "127.0.0.1");
  socket.on("connect", () => { console.log("connected"); socket.destroy(); });
  socket.on("error", (error) => console.log(error.code));`;

/** What hostile code in a runner's process would see: the runner's command with another script in it. */
function inRunner(script: string, netless: boolean): Promise<string> {
  const guestPath = "/none";
  const { file, args } = runnerCommand({ script: "/none.mjs", guestPath, dataMb: 2_048, netless });
  const words = [...args.slice(0, -2), "--eval", script];
  return new Promise((resolve, reject) => {
    execFile(file, words, { env: {}, cwd: "/", timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${error.message} ${stderr}`));
    });
  });
}

test.runIf(await canCutNetwork())("code in a runner's process reaches no port of this machine", async () => {
  const server = createServer((socket) => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    // Without the namespace it does, so what stops it below is the namespace.
    expect(await inRunner(dial(address.port), false)).toBe("connected");
    expect(await inRunner(dial(address.port), true)).toMatch(/^E(NETUNREACH|CONNREFUSED|ADDRNOTAVAIL)$/);
  } finally {
    server.close();
    await once(server, "close");
  }
});

test.runIf(process.platform === "linux")(
  "code in a runner's process reads no file, writes none and starts no program",
  async () => {
    const status = 'require("node:fs").readFileSync("/proc/self/status", "utf8")';
    const refused = (code: string) =>
      `try { ${code}; console.log("done"); } catch (error) { console.log(error.code); }`;
    expect(await inRunner(refused(status), await canCutNetwork())).toBe("ERR_ACCESS_DENIED");
    expect(await inRunner(refused('require("node:fs").writeFileSync("/tmp/jr", "x")'), await canCutNetwork())).toBe(
      "ERR_ACCESS_DENIED",
    );
    expect(await inRunner(refused('require("node:child_process").spawnSync("id")'), await canCutNetwork())).toBe(
      "ERR_ACCESS_DENIED",
    );
  },
);
