import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Ground } from "./contestant.ts";
import { withDescendants } from "./memory.ts";
import type { ContestantName } from "./table.ts";

const program = fileURLToPath(new URL("./stand.ts", import.meta.url));
const answer = z.union([z.object({ values: z.array(z.number()) }), z.object({ problem: z.string() })]);

type Order =
  | { what: "first lines" | "many" | "chain"; count: number }
  | { what: "slots"; count: number; load: boolean }
  | { what: "hold" };

/** A contestant at work in a process of its own. */
export type Stand = AsyncDisposable &
  Readonly<{
    name: ContestantName;
    pid: number;
    /** Milliseconds, as the contestant's process measured them. */
    ask(order: Order): Promise<number[]>;
    /** `kill -9`, of its children, too. */
    kill(): Promise<void>;
  }>;

export type StandGround = Omit<Ground, "onLine" | "onSlot">;

/** Starts a contestant; resolves when it can take work. */
export async function openStand(name: ContestantName, ground: StandGround): Promise<Stand> {
  const child = fork(program, [JSON.stringify({ name, ground })], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    // Of libraries that are not ours.
    execArgv: ["--no-deprecation"],
  });
  const gone = once(child, "exit");
  await nextAnswer(child);
  const kill = async () => {
    // Of some the children outlive it, and spin.
    const { pid } = child;
    const all = pid === undefined ? [] : [...withDescendants([pid])];
    for (const each of all) {
      try {
        process.kill(each, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }
    await gone;
  };
  const say = (order: Order | { what: "end" }) => {
    const answered = nextAnswer(child);
    child.send(order);
    return answered;
  };
  return {
    name,
    pid: child.pid ?? 0,
    ask: say,
    kill,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await say({ what: "end" });
      await kill();
    },
  };
}

function nextAnswer(child: ChildProcess): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error("a stand ended"));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      const said = answer.parse(message);
      if ("values" in said) resolve(said.values);
      else reject(new Error(said.problem));
    });
  });
}
