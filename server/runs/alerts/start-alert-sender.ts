import type { Config } from "../../config.ts";
import type { EffectServices } from "../../effects/services.ts";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Store } from "../../store/open-store.ts";
import { alertsChannel } from "../alerts.ts";
import { createWake } from "../wake.ts";
import { createFailingTargets, type FailingTarget } from "./failing-targets.ts";
import { type QueueAlerts, queueAlerts } from "./queue-alerts.ts";
import { type AlertMessage, sendLines } from "./send-lines.ts";

export type AlertSenderOptions = Readonly<{
  store: Store;
  settings: Omit<Config["alerts"], "tasks">;
  timezone: string;
  notify: EffectServices["notify"];
  clean: QueueAlerts["clean"];
  /** This machine's name, which every message tells. */
  machine: string;
  /** Targets that cannot work here, with the reason. */
  problems: ReadonlyMap<string, string>;
  log: Log;
  /** Milliseconds that no change of the clock touches. */
  elapsedMs?: () => number;
}>;

export type AlertSender = AsyncDisposable & Readonly<{ failing(): FailingTarget[] }>;

/** A notification can be lost, and the end of most alerts sends none. */
const lookMs = 5_000;
const shortestWaitMs = 100;
/** What messages under way get at the end. */
const graceMs = 3_000;

/**
 * Sends alerts to the targets of the settings until it is disposed. Any number of senders may work on one database. A target that
 * fails is tried again with growing pauses, told in the log once, and holds up neither the others nor any run.
 */
export function startAlertSender(options: AlertSenderOptions): AlertSender {
  const { store, settings, timezone, notify, clean, machine, problems, log, elapsedMs } = options;
  const { targets, everyMs, recovery } = settings;
  const failing = createFailingTargets(problems, elapsedMs);
  const flights = new Map<string, Promise<void>>();
  const wake = createWake();
  const stopped = new AbortController();
  let stopping = false;
  let trouble = false;

  async function send(message: AlertMessage): Promise<void> {
    const { target, lines, alerts, recoveries, id } = message;
    const hidden = alerts + recoveries - lines.length;
    const counts = [
      ...(alerts === 0 ? [] : [`${alerts} alert${alerts === 1 ? "" : "s"}`]),
      ...(recoveries === 0 ? [] : [`${recoveries} over`]),
    ];
    const text = [...lines, ...(hidden > 0 ? [`… and ${hidden} more: jr status`] : [])].join("\n");
    const title = `JobRunner on ${machine}: ${counts.join(", ")}`;
    const urgency = alerts > 0 ? "high" : "normal";
    await notify({ target, title, text, urgency }, { idempotencyKey: id, signal: stopped.signal });
  }

  async function deliver(target: string): Promise<void> {
    let refusal: unknown;
    try {
      const sent = await sendLines(store.db, {
        target,
        send: (message) =>
          send(message).catch((thrown) => {
            refusal = thrown;
            throw thrown;
          }),
      });
      if (!sent) return;
      if (failing.worked(target)) log.info({ target }, "alerts reach this target again");
      // What came meanwhile.
      wake.ring();
    } catch (thrown) {
      if (stopped.signal.aborted) return;
      if (refusal === undefined) return storeTrouble(thrown);
      const problem = messageOf(refusal);
      if (!failing.failed(target, problem)) return;
      log.warn({ target, problem }, `alerts do not reach "${target}"; it is tried again with growing pauses`);
    }
  }

  function storeTrouble(thrown: unknown): void {
    if (!trouble) log.error({ err: thrown }, `alerts wait: ${messageOf(thrown)}`);
    trouble = true;
  }

  async function look(): Promise<number> {
    const waitMs = await queueAlerts(store.db, { targets, everyMs, recovery, timezone, clean });
    trouble = false;
    for (const target of targets) {
      if (flights.has(target) || !failing.mayTry(target)) continue;
      flights.set(
        target,
        deliver(target).finally(() => flights.delete(target)),
      );
    }
    return Math.max(shortestWaitMs, Math.min(waitMs ?? lookMs, lookMs));
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      const waitMs = await look().catch((thrown) => {
        storeTrouble(thrown);
        return lookMs;
      });
      if (!stopping) await wake.wait(waitMs);
    }
  }

  for (const [target, problem] of problems) {
    log.warn({ target, problem }, `alerts cannot reach "${target}" on this machine; see alerts.targets in config.yaml`);
  }
  const listening = store.listen(alertsChannel, wake.ring).catch((thrown) => {
    log.warn({ err: thrown }, "no notifications of alerts; looking for them every few seconds");
    return async () => {};
  });
  // Without a target nothing is marked as told, so that one that is set later is told of what is open.
  const loops = targets.length === 0 ? Promise.resolve() : loop();

  return {
    failing: failing.list,
    async [Symbol.asyncDispose]() {
      stopping = true;
      wake.ring();
      const unlisten = await listening;
      await unlisten();
      await loops;
      const late = setTimeout(() => stopped.abort(new Error("the sender of alerts stops")), graceMs);
      await Promise.all(flights.values());
      clearTimeout(late);
    },
  };
}
