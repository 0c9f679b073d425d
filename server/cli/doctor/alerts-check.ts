import { desktopProblem } from "../../notify/desktop.ts";
import { connectDaemon } from "../client.ts";
import { statusAnswer } from "../status-answer.ts";
import { type Check, ok, warn } from "./check.ts";

const advice = "set alerts.targets in config.yaml to a target that reaches you, then: jr restart";

/** A running daemon knows which targets fail; otherwise only a missing desktop can be seen. */
export const alertsCheck: Check = {
  name: "alerts",
  async look({ context, config, running }) {
    if (config === undefined) return warn("not looked at, since the settings are wrong", "correct them first");
    const { targets } = config.alerts;
    if (targets.length === 0) return ok("shown by jr status alone (alerts.targets is empty)");
    const failing = running
      ? (await (await connectDaemon(context)).get("/api/status", statusAnswer)).failing_targets
      : missingDesktops(targets.filter((name) => config.notify.targets[name]?.kind === "desktop"));
    if (failing.length === 0) return ok(`sent to ${targets.join(", ")}`);
    return warn(failing.map(({ target, message }) => `${target} does not take them: ${message}`).join("; "), advice);
  },
};

function missingDesktops(desktops: readonly string[]): { target: string; message: string }[] {
  const message = desktopProblem();
  return message === undefined ? [] : desktops.map((target) => ({ target, message }));
}
