import type { NotifyMessage } from "../effects/services.ts";
import { cutText, utf16Units } from "./cut-text.ts";
import { type Delivery, postJson } from "./post-message.ts";

/** Discord refuses longer ones; https://docs.discord.com/developers/resources/webhook#execute-webhook */
const longest = 2_000;
const longestTitle = 200;

/** A webhook of Discord. Mentions in the text reach nobody. */
export function sendToDiscord(url: string, { title, text }: NotifyMessage, delivery: Delivery): Promise<void> {
  const head = `**${cutText(title, longestTitle, utf16Units)}**\n`;
  const content = head + cutText(text, longest - head.length, utf16Units);
  return postJson(url, { content, allowed_mentions: { parse: [] } }, delivery);
}
