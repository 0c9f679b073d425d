import type { NotifyMessage } from "../effects/services.ts";
import { type Delivery, postJson } from "./post-message.ts";

/** POSTs `{title, text, urgency}` as JSON. */
export function sendToWebhook(url: string, { title, text, urgency }: NotifyMessage, delivery: Delivery): Promise<void> {
  return postJson(url, { title, text, urgency }, delivery);
}
