import type { Log } from "../log.ts";
import { alertsChannel } from "../runs/alerts.ts";
import { createWake } from "../runs/wake.ts";
import type { Store } from "../store/open-store.ts";
import { fileAlerts } from "../tasks/file-alerts.ts";

/** A notification can be lost, and what a person dismisses sends none. */
const lookMs = 5_000;

/** Files tasks for jobs that fail, until it is disposed. Any number of daemons may do so on one database. */
export function startAlertTasks({
  store,
  clean,
  log,
}: Readonly<{ store: Store; clean: (text: string) => string; log: Log }>): AsyncDisposable {
  const wake = createWake();
  let stopping = false;
  let trouble = false;

  async function look(): Promise<void> {
    try {
      await fileAlerts(store.db, { clean });
      trouble = false;
    } catch (thrown) {
      if (!trouble) log.error({ err: thrown }, "failing jobs are not filed as tasks; it is tried again");
      trouble = true;
    }
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      await look();
      if (!stopping) await wake.wait(lookMs);
    }
  }

  const listening = store.listen(alertsChannel, wake.ring).catch((thrown) => {
    log.warn({ err: thrown }, "no notifications of alerts; looking for them every few seconds");
    return async () => {};
  });
  const loops = loop();
  return {
    async [Symbol.asyncDispose]() {
      stopping = true;
      wake.ring();
      const unlisten = await listening;
      await unlisten();
      await loops;
    },
  };
}
