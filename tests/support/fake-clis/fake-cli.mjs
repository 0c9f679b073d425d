#!/usr/bin/env node
// Stands in for claude, gemini and codex: plays what FAKE_CLI says, and writes down what it was given.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";

const { record, replies } = JSON.parse(process.env.FAKE_CLI ?? "{}");
let stdin = "";
for await (const piece of process.stdin) stdin += piece;
const before = existsSync(record) ? readFileSync(record, "utf8").split("\n").length - 1 : 0;
const files = readdirSync(".", { recursive: true }).map(String).sort();
const system = files.includes("system.md") ? readFileSync("system.md", "utf8") : null;
const { stdout = "", stderr = "", code = 0, hang, flood } = replies[Math.min(before, replies.length - 1)];
if (hang) {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1_000);
}
// A helper that would outlive a program of which only the first process is ended.
const helper = hang ? spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]).pid : null;
const given = { args: process.argv.slice(2), env: process.env, cwd: process.cwd(), files, system, stdin };
appendFileSync(record, `${JSON.stringify({ ...given, pid: process.pid, ppid: process.ppid, helper })}\n`);
if (flood) {
  const write = () => process.stdout.write("x".repeat(1 << 20), write);
  write();
} else if (!hang) {
  process.stderr.write(stderr);
  process.stdout.write(stdout, () => process.exit(code));
}
