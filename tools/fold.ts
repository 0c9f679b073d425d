/** Most characters of one part of an answer: an answer stays below 10,000 tokens. */
export const partChars = 24_000;

/** The beginning of a text that is too long, with a line that says how much is missing and how to get it. */
export function foldEnd(text: string, more: string, maxChars = partChars): string {
  if (text.length <= maxChars) return text;
  const cut = text.lastIndexOf("\n", maxChars);
  const end = cut > maxChars / 2 ? cut : maxChars;
  return `${text.slice(0, end)}\n… ${text.length - end} more characters: ${more}`;
}

/** The end of a text that is too long. */
export function foldStart(text: string, more: string, maxChars = partChars): string {
  if (text.length <= maxChars) return text;
  return `… ${text.length - maxChars} characters before: ${more}\n${text.slice(-maxChars)}`;
}
