import { styleText } from "node:util";
import type { Review } from "../review/review.ts";

type Style = Parameters<typeof styleText>[0];
export type Terminal = Readonly<{ colour: boolean; width: number }>;

/** What reviews of every kind are written with. */
export function reviewWords({ colour, width }: Terminal) {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  return {
    paint,
    rule: paint("dim", "─".repeat(Math.min(width, 100))),
    list: (lines: readonly string[], indent = "  ") => lines.flatMap((line) => wrap(line, width, indent)),
    head: (text: string) => ["", paint("bold", text)],
  };
}

type Paint = (style: Style, text: string) => string;

/** What widened, so that nobody overlooks it. */
export function loud(
  review: Pick<Review, "base" | "widened">,
  first: boolean,
  paint: Paint,
  list: (lines: readonly string[]) => string[],
): string[] {
  if (review.base === null && !first) return [];
  if (review.widened.length === 0)
    return ["", paint("green", first ? "Asks for no permission." : "Nothing widened since the approved version.")];
  const title = first ? "ASKS FOR (first version, so all of it is new)" : `WIDENED since v${review.base}`;
  return [
    "",
    paint(["bold", "red", "inverse"], ` ${title} `),
    ...list(review.widened.map((line) => `! ${line}`)).map((line) => paint("red", line)),
  ];
}

/** What is wrong with keys and chain. */
export function keyLines({ keys }: Pick<Review, "keys">): string[] {
  return [
    ...(keys.problem === null ? [] : [`Nothing runs: ${keys.problem}`]),
    ...(keys.setUp ? [] : ["No signing key yet: jr setup"]),
    ...(keys.setUp && !keys.protected ? ["Signing key: unprotected (no passphrase)"] : []),
  ];
}

/** Texts, or what changed in them. */
export function codeLines({ code }: Pick<Review, "code">, paint: Paint): string[] {
  if (code.length === 0) return ["  no change"];
  return code.flatMap(({ path, change, lines }) => [
    paint("cyan", `  ${path} (${change})`),
    // Code keeps its own lines: wrapping could hide where one begins.
    ...lines.map((line) => paintLine(line, paint)),
  ]);
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith("@@")) return paint("cyan", `  ${line}`);
  // An escaped character is what a reader must not miss, whatever colour its line has.
  const marked = line.replace(/⟨U\+[0-9A-F]+⟩/g, (mark) => paint("inverse", mark));
  if (line.startsWith("+")) return paint("green", `  ${marked}`);
  return line.startsWith("-") ? paint("red", `  ${marked}`) : `  ${marked}`;
}

function wrap(text: string, width: number, indent: string): string[] {
  const room = Math.max(20, Math.min(width, 120) - indent.length);
  return text.split("\n").flatMap((line) => {
    const lines = [""];
    for (const word of line.split(" ")) {
      const last = lines.length - 1;
      const current = lines[last] ?? "";
      if (current !== "" && current.length + 1 + word.length > room) lines.push(`  ${word}`);
      else lines[last] = current === "" ? word : `${current} ${word}`;
    }
    return lines.map((part) => `${indent}${part}`);
  });
}
