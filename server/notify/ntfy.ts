import type { NotifyMessage } from "../effects/services.ts";
import { cutText, utf8Bytes, utf16Units } from "./cut-text.ts";
import { type Delivery, postMessage } from "./post-message.ts";

/** ntfy turns longer messages into attachments; https://docs.ntfy.sh/publish/#limitations */
const longestBytes = 4_096;
const longestTitle = 200;
const priorities = { low: "2", normal: "3", high: "4" } as const;

/** A topic of ntfy, whose URL is the target's. */
export function sendToNtfy(url: string, { title, text, urgency }: NotifyMessage, delivery: Delivery): Promise<void> {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    title: headerText(cutText(title, longestTitle, utf16Units)),
    priority: priorities[urgency],
  };
  return postMessage(url, { headers, body: cutText(text, longestBytes, utf8Bytes) }, delivery);
}

/** Anything beyond printable ASCII as an encoded word of RFC 2047, which ntfy reads in headers. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
}
