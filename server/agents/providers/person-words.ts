const longest = 400;

/** What a program said, in one line and not too long, without the control characters that could paint a terminal. */
export function personWords(text: string): string {
  const plain = text
    .replace(/\p{Cc}+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain;
}
