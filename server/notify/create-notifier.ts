import type { NotifyTarget } from "../config-schema.ts";
import type { EffectServices, NotifyMessage } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import { sendToDesktop } from "./desktop.ts";
import { sendToDiscord } from "./discord.ts";
import { sendToNtfy } from "./ntfy.ts";
import type { Delivery } from "./post-message.ts";
import { sendToSlack } from "./slack.ts";
import { Undelivered } from "./undelivered.ts";
import { sendToWebhook } from "./webhook.ts";

type Settings = Readonly<{ default: string; targets: Readonly<Record<string, NotifyTarget>> }>;

/** The `notify` of effects, over the targets of config.yaml. Its errors never show an address. */
export function createNotifier({ targets, default: usual }: Settings): EffectServices["notify"] {
  return async (message, delivery) => {
    const name = message.target === "default" && !Object.hasOwn(targets, "default") ? usual : message.target;
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    if (target === undefined) {
      throw new UserError(
        "target_not_found",
        `There is no target "${name}" for messages. Those of config.yaml: ${Object.keys(targets).join(", ")}.`,
        { next: "add it to notify.targets in config.yaml, then: jr restart" },
      );
    }
    delivery.signal.throwIfAborted();
    try {
      await send(target, message, delivery);
    } catch (error) {
      if (!(error instanceof Undelivered)) throw error;
      throw new UserError("notify_failed", `The message to "${name}" was not delivered: ${error.message}.`, {
        next: `jr notify ${name} test`,
      });
    }
  };
}

function send(target: NotifyTarget, message: NotifyMessage, delivery: Delivery): Promise<void> {
  switch (target.kind) {
    case "desktop":
      return sendToDesktop(message, delivery);
    case "webhook":
      return sendToWebhook(target.url, message, delivery);
    case "slack":
      return sendToSlack(target.url, message, delivery);
    case "discord":
      return sendToDiscord(target.url, message, delivery);
    case "ntfy":
      return sendToNtfy(target.url, message, delivery);
    default:
      return target satisfies never;
  }
}
