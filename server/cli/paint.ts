import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours text, or leaves it where standard output takes none. */
export type Paint = (style: Style, text: string) => string;

/** The painter of a context. */
export function painter({ colour }: { colour: boolean }): Paint {
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}
