/**
 * What a person cannot see or what reorders what they see: controls, formats (bidirectional, zero-width, tags), fillers, selectors.
 * The bracket of our own notation is in it, so that a text cannot pretend to hold a character.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u27e8]/gu;

/** The text with every such character written out as `⟨U+202E⟩`. Newlines and tabs stay, where `lines` allows them. */
export function visibleText(text: string, { lines }: { lines: boolean } = { lines: true }): string {
  return text.replace(/\r\n/g, "\n").replace(invisible, (character) => {
    if (lines && (character === "\n" || character === "\t")) return character;
    const code = character.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** As `visibleText`, on one line. */
export function visibleLine(text: string): string {
  return visibleText(text, { lines: false });
}
