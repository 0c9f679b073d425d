import type { CallMade } from "./conversation.ts";

const shownStart = 160;

/** What is left of an old result once the window is too small for all. */
export function foldedResult({ call, content }: CallMade): string {
  const start = content.slice(0, shownStart).replace(/\s+/g, " ");
  return `[Folded to save room: ${call.name} gave ${content.length} characters, which began: ${start}. Call it again where you need it.]`;
}
