import { type ChildProcess, spawn } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
import { killGroup } from "../../effects/kill-group.ts";
import { isBuilt, programRoot } from "../../home.ts";
import type { Log } from "../../log.ts";
import type { LoopEnd } from "../loop/loop-host.ts";
import { cliEnvironment } from "../providers/cli-environment.ts";
import {
  type Answered,
  type ChildMessage,
  childMessage,
  type Handlers,
  type Operation,
  operations,
  type ParentMessage,
  type StartMessage,
} from "./protocol.ts";

/** How a process ended: with the loop's end, by our own stop, or by itself. */
export type ProcessEnd = Readonly<{ end: LoopEnd }> | Readonly<{ stopped: true }> | Readonly<{ died: string }>;

export type ProcessOrder = Readonly<{
  start: StartMessage;
  handlers: Handlers;
  log: Log;
  /** Ends the process; whatever it still asks is not answered. */
  signal: AbortSignal;
}>;

/** From being told to stop until it is killed with all of its group. */
const graceMs = 300;
/** How long it may take to start. */
const startMs = 30_000;
const keptStderr = 4_000;

/**
 * Works on an agent in a process of its own, with a group of its own and nothing of our environment but the few variables that every
 * program needs. Rejects with what a handler threw, once the process is gone.
 */
export async function runAgentProcess({ start, handlers, log, signal }: ProcessOrder): Promise<ProcessEnd> {
  if (signal.aborted) return { stopped: true };
  const child = startChild();
  const exited = Promise.withResolvers<string>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let end: LoopEnd | undefined;
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = `${stderr}${text}`.slice(-keptStderr);
  });
  child.once("error", (error) => exited.resolve(error.message));
  child.once("exit", (code, by) => exited.resolve(by === null ? `exit code ${code}` : `ended by ${by}`));

  const send = (message: ParentMessage) => {
    // A process that has just died takes nothing; its exit is what counts.
    if (child.connected) child.send(message, () => {});
  };
  const stop = () => {
    send({ type: "stop" });
    timers.push(setTimeout(() => killGroup(child.pid, "SIGKILL"), graceMs));
  };
  /** Of programs and servers that it has started, which are no part of its own group. */
  const groups = new Set<number>();
  const timers = [setTimeout(() => killGroup(child.pid, "SIGKILL"), startMs)];
  const onMessage = (message: ChildMessage) => {
    switch (message.type) {
      case "ready":
        clearTimeout(timers[0]);
        return send(start);
      case "request":
        answer(handlers, message.op, message.body).then(
          (value) => send({ type: "answer", id: message.id, value }),
          (thrown) => failed.reject(thrown),
        );
        return;
      case "end":
        end = message.end;
        return stop();
      case "group":
        if (message.alive) groups.add(message.pid);
        else groups.delete(message.pid);
        return;
      case "log":
        return log[message.level]({ child: child.pid }, message.text);
      default:
        return message satisfies never;
    }
  };
  child.on("message", (raw) => {
    const message = childMessage.safeParse(raw);
    if (message.success) onMessage(message.data);
    else failed.reject(new Error(`an agent's process sent what is no message: ${message.error.message}`));
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    const how = await Promise.race([exited.promise, failed.promise]);
    if (end !== undefined) return { end };
    if (signal.aborted) return { stopped: true };
    return { died: `${how}${stderr.trim() === "" ? "" : `: ${stderr.trim().slice(-500)}`}` };
  } finally {
    signal.removeEventListener("abort", stop);
    for (const timer of timers) clearTimeout(timer);
    killGroup(child.pid, "SIGKILL");
    await exited.promise;
    for (const pid of groups) killGroup(pid, "SIGKILL");
  }
}

function answer<O extends Operation>(handlers: Handlers, op: O, body: unknown): Promise<Answered<O>> {
  return handlers[op](operations[op].body.parse(body));
}

function startChild(): ChildProcess {
  const program = join(programRoot, "server", "agents", isBuilt ? "child.js" : "child.ts");
  // Node's own folder below the one that was named: it makes the same one again.
  const compiled = getCompileCacheDir();
  const cache = compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) };
  return spawn(process.execPath, ["--no-warnings", program], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // What programs need, and no key of ours.
    env: cliEnvironment(process.env, cache),
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}
