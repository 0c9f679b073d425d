/** Text that PostgreSQL can keep: NUL becomes U+2400 and lone surrogates U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "\u2400").toWellFormed();
}
