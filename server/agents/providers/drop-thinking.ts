/** A model's text without what it thinks aloud first, in `<think>` tags. Some templates write the opening one themselves. */
export function dropThinking(text: string): string {
  const end = text.indexOf("</think>");
  if (end >= 0) return text.slice(end + "</think>".length).trimStart();
  return /^\s*<think>/.test(text) ? "" : text;
}
