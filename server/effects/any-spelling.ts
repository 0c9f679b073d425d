/**
 * A regular expression's source that finds the text as it is, percent-encoded (once or more often, in either case, by whatever
 * rule of which characters need it) and JSON-escaped. Also in bytes that were read as Latin-1.
 */
export function anySpelling(text: string): string {
  return [...text].map(anySpellingOfCharacter).join("");
}

function anySpellingOfCharacter(character: string): string {
  // No encoder touches these, and literals keep the search fast.
  if (/^[A-Za-z0-9]$/.test(character)) return character;
  const bytes = [...Buffer.from(character)];
  const units = character.split("").map((unit) => unit.charCodeAt(0));
  const ascii = character < "\x80";
  const short = JSON.stringify(character).slice(1, -1);
  // No two of these may match the same text, or a search that nearly succeeds takes exponential time.
  const spellings = [
    bytes.map((byte) => `%(?:25)*${anyCase(byte, 2)}`).join(""),
    units.map((unit) => `\\\\u${anyCase(unit, 4)}`).join(""),
    // Languages differ in what they put a backslash before.
    ascii ? `\\\\?${escapePattern(character)}` : escapePattern(character),
    ...(ascii ? [] : [Buffer.from(character).toString("latin1")]),
    ...(/^\\[bfnrt]$/.test(short) ? [escapePattern(short)] : []),
    ...(character === " " ? ["\\+"] : []),
  ];
  return `(?:${spellings.join("|")})`;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** A number's hexadecimal digits, as upper or lower case. */
function anyCase(number: number, digits: number): string {
  const text = number.toString(16).padStart(digits, "0");
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
