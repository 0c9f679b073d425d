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
  const spellings = [
    // Languages differ in what they put a backslash before.
    `\\\\?${escape(character)}`,
    escape(JSON.stringify(character).slice(1, -1)),
    escape(Buffer.from(character).toString("latin1")),
    bytes.map((byte) => `%(?:25)*${anyCase(byte, 2)}`).join(""),
    units.map((unit) => `\\\\u${anyCase(unit, 4)}`).join(""),
    ...(character === " " ? ["\\+"] : []),
  ];
  // The longer ones first: a "%" or a backslash of the text must not end before its own encoding does.
  return `(?:${[...new Set(spellings)].reverse().join("|")})`;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** A number's hexadecimal digits, as upper or lower case. */
function anyCase(number: number, digits: number): string {
  const text = number.toString(16).padStart(digits, "0");
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
