import { hostname } from "node:os";
import type { Config } from "../config.ts";
import { createMask } from "../effects/mask-secrets.ts";
import { grantedSecrets } from "../effects/placeholders.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import type { EffectServices } from "../effects/services.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { desktopProblem } from "../notify/desktop.ts";
import { visibleLine } from "../review/visible-text.ts";
import { type AlertSender, startAlertSender } from "../runs/alerts/start-alert-sender.ts";
import type { Store } from "../store/open-store.ts";

/** Sends alerts as config.yaml says, until it is disposed. */
export function sendAlerts(deps: {
  store: Store;
  config: Config;
  notify: EffectServices["notify"];
  secrets: () => SecretValues;
  log: Log;
}): AlertSender {
  const { store, config, notify, secrets, log } = deps;
  const problem = desktopProblem();
  const desktops = config.alerts.targets.filter((name) => config.notify.targets[name]?.kind === "desktop");
  return startAlertSender({
    store,
    settings: config.alerts,
    timezone: config.timezone,
    notify,
    clean: (text) => cleanAlertText(text, secrets),
    machine: hostname(),
    problems: new Map(problem === undefined ? [] : desktops.map((name) => [name, problem])),
    log: log.child({ part: "alerts" }),
  });
}

/** Jobs see placeholders only; this is for what else might tell a value to the world. */
export function cleanAlertText(text: string, secrets: () => SecretValues): string {
  try {
    const values = secrets();
    return visibleLine(createMask(grantedSecrets("alerts", values.names(), values)).text(text));
  } catch (thrown) {
    return `a text that is held back, since secrets cannot be masked in it: ${messageOf(thrown)}`;
  }
}
