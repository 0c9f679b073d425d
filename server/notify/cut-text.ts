/** The text within `max`, measured character by character; what was cut off is told by an ellipsis, which counts 3. */
export function cutText(text: string, max: number, measure: (character: string) => number): string {
  const ellipsis = 3;
  let used = 0;
  let end = 0;
  let room = 0;
  for (const character of text) {
    used += measure(character);
    if (used > max) return `${text.slice(0, room)}…`;
    end += character.length;
    if (used <= max - ellipsis) room = end;
  }
  return text;
}

/** Bytes of a character in UTF-8. */
export function utf8Bytes(character: string): number {
  return Buffer.byteLength(character);
}

/** UTF-16 units of a character, which is what services that count characters count at most. */
export function utf16Units(character: string): number {
  return character.length;
}
