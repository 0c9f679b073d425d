import { z } from "zod";
import { formatMs } from "../format-time.ts";
import type { RecordedEffect } from "./read.ts";
import type { JournalEntry } from "./read-journal.ts";

const fetchArgs = z.object({ url: z.string(), method: z.string(), body: z.string().nullable() });
const fetchResult = z.object({ status: z.number(), url: z.string(), body: z.string() });

const shownChars = 300;

/** A call in one line of plain text; foreign, so the caller fences it. */
export function effectLine({ op, argsJson }: Pick<JournalEntry, "op" | "argsJson">): string {
  return `${op} ${argsText(op, argsJson)}`;
}

/** One effect as two or three lines of plain text; foreign throughout, so the caller fences it. */
export function effectText(effect: RecordedEffect): string {
  const { seq, op, args, safe, state, outcome, result, progress, started_at, ended_at } = effect;
  const ms = ended_at === null ? "" : ` (${formatMs(ended_at.getTime() - started_at.getTime())})`;
  const safety = safe ? "" : " [not safe to repeat]";
  const shown = state === "intent" ? "in flight: its outcome is not known" : `${outcome ?? "ok"}${ms}`;
  return [
    `${seq}. ${effectLine({ op, argsJson: args })}${safety}`,
    `   -> ${shown}${result === null ? "" : ` ${resultText(effect, result)}`}`,
    ...(progress === null ? [] : [`   so far: ${folded(progress)}`]),
  ].join("\n");
}

function argsText(op: string, args: string): string {
  const value = json(args);
  const parsed = op === "fetch" ? fetchArgs.safeParse(value).data : undefined;
  if (parsed === undefined) return readable(args, value);
  const body = parsed.body === null ? "" : ` body: ${bodyText(parsed.body)}`;
  return `${parsed.method} ${folded(parsed.url)}${body}`;
}

function resultText({ op, outcome }: RecordedEffect, result: string): string {
  const value = json(result);
  const parsed = op === "fetch" && outcome === "ok" ? fetchResult.safeParse(value).data : undefined;
  return parsed === undefined ? readable(result, value) : `${parsed.status} ${bodyText(parsed.body)}`;
}

const record = z.record(z.string(), z.unknown());
/** Where effects carry bytes, as base64. */
const byteKeys = ["data", "stdin", "stdout", "stderr"];

function readable(text: string, value: unknown): string {
  const fields = Object.entries(record.safeParse(value).data ?? {});
  if (!fields.some(([key, field]) => byteKeys.includes(key) && typeof field === "string")) return folded(text);
  const shown = fields.map(([key, field]) => {
    const isBytes = byteKeys.includes(key) && typeof field === "string";
    return `${key}: ${isBytes ? bodyText(field) : folded(JSON.stringify(field))}`;
  });
  return shown.join(", ");
}

/** Bodies are kept as base64; what is no text is told by its size. */
function bodyText(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const text = bytes.toString("utf8");
  if (bytes.length === 0) return "nothing";
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
