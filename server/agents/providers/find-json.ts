/** A JSON object or array within a text; `start` and `end` are where it stands, a fence or tag around it included. */
export type FoundJson = Readonly<{ value: unknown; start: number; end: number }>;

/** Characters looked at in all, so that a text of nothing but braces costs no minutes. */
const workLimit = 4_000_000;
const openings = /(?:```[a-z]*\s*|<tool_call>\s*|<function_call>\s*)$/i;
const closings = /^(?:\s*```|\s*<\/(?:tool_call|function_call)>)/i;

/** All outermost JSON objects and arrays of a text, whatever stands around them: prose, fences, `<tool_call>` tags. */
export function findJson(text: string): FoundJson[] {
  const found: FoundJson[] = [];
  let work = 0;
  let from = 0;
  while (work < workLimit) {
    const start = text.slice(from).search(/[{[]/);
    if (start < 0) break;
    const open = from + start;
    const end = closingOf(text, open);
    work += (end ?? text.length) - from;
    const value = end === undefined ? undefined : parseLeniently(text.slice(open, end));
    if (end === undefined || value === undefined) {
      from = open + 1;
      continue;
    }
    found.push({ value, ...wrapped(text, open, end) });
    from = end;
  }
  return found;
}

/** What a text means as JSON, with the mistakes forgiven that models make: line breaks within strings and commas before a closing bracket. */
export function parseLeniently(text: string): unknown {
  return parse(text) ?? parse(mended(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mended(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"|,(?=\s*[}\]])/g, (piece) => {
    if (piece === ",") return "";
    return piece.replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  });
}

/** Where the bracket at `open` is closed, by counting brackets outside strings. */
function closingOf(text: string, open: number): number | undefined {
  let depth = 0;
  const pieces = /"(?:[^"\\]|\\[\s\S])*"|[{}[\]]/g;
  pieces.lastIndex = open;
  for (let piece = pieces.exec(text); piece !== null; piece = pieces.exec(text)) {
    if (piece[0] === "{" || piece[0] === "[") depth++;
    else if (piece[0] === "}" || piece[0] === "]") depth--;
    if (depth === 0) return pieces.lastIndex;
  }
  return undefined;
}

function wrapped(text: string, open: number, end: number): { start: number; end: number } {
  // The longest of them is short, so that only a little of the text has to be looked at.
  const before = openings.exec(text.slice(Math.max(0, open - 40), open))?.[0] ?? "";
  const after = closings.exec(text.slice(end, end + 40))?.[0] ?? "";
  return { start: open - before.length, end: end + after.length };
}
