import type { NotifyMessage } from "../effects/services.ts";
import { cutText } from "./cut-text.ts";
import { type Delivery, postJson } from "./post-message.ts";

/** Slack cuts longer texts off; https://docs.slack.dev/reference/methods/chat.postMessage */
const longest = 40_000;
const longestTitle = 500;

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** An incoming webhook of Slack. Its three special characters are escaped, so that a text cannot mention or link. */
export function sendToSlack(url: string, { title, text }: NotifyMessage, delivery: Delivery): Promise<void> {
  const head = `*${escaped(title, longestTitle)}*\n`;
  return postJson(url, { text: head + escaped(text, longest - head.length) }, delivery);
}

function escaped(text: string, max: number): string {
  const cut = cutText(text, max, (character) => (entities[character] ?? character).length);
  return cut.replace(/[&<>]/g, (character) => entities[character] ?? character);
}
