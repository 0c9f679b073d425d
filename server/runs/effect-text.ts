import { z } from "zod";
import { formatMs } from "../format-time.ts";
import type { Row } from "../store/tables.ts";

const fetchArgs = z.object({ url: z.string(), method: z.string(), body: z.string().nullable() });
const fetchResult = z.object({ status: z.number(), url: z.string(), body: z.string() });

const shownChars = 300;

/** One effect as two or three lines of plain text; foreign throughout, so the caller fences it. */
export function effectText(effect: Row<"journal">, result: string | null): string {
  const ms = effect.ended_at === null ? "" : ` (${formatMs(effect.ended_at.getTime() - effect.started_at.getTime())})`;
  const safety = effect.safe ? "" : " [not safe to repeat]";
  const state = effect.state === "intent" ? "in flight: its outcome is not known" : `${effect.outcome ?? "ok"}${ms}`;
  return [
    `${effect.seq}. ${effect.op} ${argsText(effect)}${safety}`,
    `   -> ${state}${result === null ? "" : ` ${resultText(effect, result)}`}`,
  ].join("\n");
}

function argsText({ op, args }: Row<"journal">): string {
  const parsed = op === "fetch" ? fetchArgs.safeParse(json(args)).data : undefined;
  if (parsed === undefined) return folded(args);
  const body = parsed.body === null ? "" : ` body: ${bodyText(parsed.body)}`;
  return `${parsed.method} ${folded(parsed.url)}${body}`;
}

function resultText({ op, outcome }: Row<"journal">, result: string): string {
  const parsed = op === "fetch" && outcome === "ok" ? fetchResult.safeParse(json(result)).data : undefined;
  return parsed === undefined ? folded(result) : `${parsed.status} ${bodyText(parsed.body)}`;
}

/** Bodies are kept as base64; what is no text is told by its size. */
function bodyText(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const text = bytes.toString("utf8");
  return text.includes("\uFFFD") ? `${bytes.length} bytes` : `${bytes.length} bytes: ${folded(text)}`;
}

function folded(text: string): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.length <= shownChars ? flat : `${flat.slice(0, shownChars)}… (${flat.length} characters)`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
