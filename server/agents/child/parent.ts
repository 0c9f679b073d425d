import type { GroupChange } from "../../effects/spawn-in-group.ts";
import type { LoopEnd } from "../loop/loop-host.ts";
import {
  type Answered,
  type Body,
  type ChildMessage,
  type Operation,
  operations,
  parentMessage,
  type StartMessage,
} from "../process/protocol.ts";

/** The daemon, as its agent's process sees it. */
export type Parent = Readonly<{
  start: Promise<StartMessage>;
  ask<O extends Operation>(op: O, body: Body<O>): Promise<Answered<O>>;
  /** Tells of a process group that was started, or has ended. */
  group(change: GroupChange): void;
  log(level: "debug" | "info" | "warn" | "error", text: string): void;
  end(end: LoopEnd): Promise<void>;
}>;

/** Listens to the daemon. `onStop` is called when it says so, and when it is gone. */
export function connectParent({ onStop }: { onStop(why: Error): void }): Parent {
  const start = Promise.withResolvers<StartMessage>();
  const waiting = new Map<number, (value: unknown) => void>();
  let asked = 0;
  const send = (message: ChildMessage) =>
    new Promise<void>((resolve) => {
      if (process.send === undefined || !process.connected) return resolve();
      process.send(message, undefined, undefined, () => resolve());
    });
  process.on("message", (raw) => {
    const message = parentMessage.parse(raw);
    switch (message.type) {
      case "start":
        return start.resolve(message);
      case "answer":
        waiting.get(message.id)?.(message.value);
        waiting.delete(message.id);
        return;
      case "stop":
        return onStop(new Error("stopped by the daemon"));
      default:
        return message satisfies never;
    }
  });
  process.on("disconnect", () => onStop(new Error("the daemon is gone")));
  void send({ type: "ready" });

  return {
    start: start.promise,
    async ask(op, body) {
      asked += 1;
      const id = asked;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer.resolve);
      await send({ type: "request", id, op, body });
      return operations[op].answer.parse(await answer.promise);
    },
    group: (change) => void send({ type: "group", ...change }),
    log: (level, text) => void send({ type: "log", level, text: text.slice(0, 2_000) }),
    end: (end) => send({ type: "end", end }),
  };
}
