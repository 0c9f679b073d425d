import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { classifyStart } from "./node-error.ts";
import { type NodeOrder, type NodeOutcome, type NodeRunner, noUsage } from "./node-runner.ts";
import { fillText, textOf, valueAt } from "./references.ts";
import { tryKey } from "./try-key.ts";

/** How a command that the person signed is run, and what came of it. */
export type RunCommand = (
  order: Readonly<{ name: string; args: string[]; cwd: string; signal: AbortSignal }>,
) => Promise<Readonly<{ code: number | null; stdout: string; stderr: string; timedOut: boolean; truncated: boolean }>>;

type Flight = { controller: AbortController; outcome: NodeOutcome };

const remembered = 500;
const shownChars = 2_000;

/**
 * Nodes that are a command which the person signed. It runs in a process of this daemon's: where that died with it, whether it had its
 * effect is not known, and it is not run again unless its node says that it may be. `onEnd` is called as soon as one has ended.
 * Disposing it ends what runs.
 */
export function commandRunner({
  run,
  log,
  onEnd,
}: Readonly<{ run: RunCommand; log: Log; onEnd: () => void }>): NodeRunner & AsyncDisposable {
  const flights = new Map<string, Flight>();
  const settled = new Set<Promise<void>>();

  function begin({ spec, outputs, dedupeKey, folder }: NodeOrder): void {
    if (spec.kind !== "command") throw new Error(`no command: ${spec.kind}`);
    const flight: Flight = { controller: new AbortController(), outcome: { state: "running" } };
    forgetOld();
    flights.set(dedupeKey, flight);
    const { signal } = flight.controller;
    const done = (async () => {
      const args = spec.args.map((arg) =>
        fillText(arg, (reference) => textOf(valueAt(reference, outputs.get(reference.node) ?? null))),
      );
      return outcomeOf(await run({ name: spec.command, args, cwd: folder, signal }));
    })()
      .catch((thrown: unknown): NodeOutcome => {
        if (signal.aborted) return { state: "cancelled", usage: noUsage };
        const known = classifyStart(thrown);
        if (known === undefined) log.error({ err: thrown, key: dedupeKey }, "a command broke down");
        const error = known ?? { reason: "internal", class: "permanent", message: messageOf(thrown) };
        return { state: "failed", error, usage: noUsage };
      })
      .then((outcome) => {
        flight.outcome = outcome;
        onEnd();
      })
      .finally(() => settled.delete(done));
    settled.add(done);
  }

  /** An outcome is looked at until it is on record; later nobody asks for it. */
  function forgetOld(): void {
    for (const [key, { outcome }] of flights) {
      if (flights.size < remembered) return;
      if (outcome.state !== "running") flights.delete(key);
    }
  }

  return {
    async start(order) {
      if (!flights.has(order.dedupeKey)) begin(order);
      return {};
    },
    async look(_node, order) {
      const flight = flights.get(order.dedupeKey);
      if (flight === undefined) {
        if (order.spec.kind !== "command" || !order.spec.repeatable) return unknownEnd;
        begin(order);
        return { state: "running" };
      }
      return flight.outcome;
    },
    async cancel(node) {
      flights.get(tryKey(node))?.controller.abort();
    },
    async [Symbol.asyncDispose]() {
      for (const { controller } of flights.values()) controller.abort();
      await Promise.all(settled);
    },
  };
}

const unknownEnd: NodeOutcome = {
  state: "failed",
  error: {
    reason: "uncertain",
    class: "permanent",
    message: "the daemon stopped while it ran, so it is not known what it did; look, then retry the node",
  },
  usage: noUsage,
};

function outcomeOf({ code, stdout, stderr, timedOut, truncated }: Awaited<ReturnType<RunCommand>>): NodeOutcome {
  if (code === 0 && !timedOut) {
    const more = truncated ? "\n… it put out more than its signed limit" : "";
    return { state: "succeeded", output: `${stdout}${more}`, usage: noUsage };
  }
  const said = (stderr.trim() === "" ? stdout : stderr).trim().slice(-shownChars);
  const how = timedOut
    ? "it took longer than it may"
    : code === null
      ? "a signal ended it"
      : `it ended with code ${code}`;
  const message = said === "" ? how : `${how}: ${said}`;
  const [reason, failure] = timedOut ? (["timeout", "timeout"] as const) : (["exit_code", "permanent"] as const);
  return { state: "failed", error: { reason, class: failure, message }, usage: noUsage };
}
