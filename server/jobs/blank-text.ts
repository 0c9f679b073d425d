/**
 * The source with the insides of comments, strings and the fixed parts of templates replaced by spaces, so that a search meets
 * code alone and positions stay. It knows no regular-expression literals; a quote in one blanks at most the rest of its line.
 */
export function blankText(source: string): string {
  const out = source.split("");
  /** Braces open inside each `${…}` that is being read; the template goes on when its own closes. */
  const templates: number[] = [];
  let at = 0;

  function blank(from: number, to: number): void {
    for (let i = from; i < to && i < out.length; i++) if (out[i] !== "\n") out[i] = " ";
  }
  function skipTemplate(): void {
    const from = at;
    while (at < source.length && source[at] !== "`") {
      if (source[at] === "\\") at++;
      else if (source[at] === "$" && source[at + 1] === "{") {
        blank(from, at);
        at += 2;
        templates.push(0);
        return;
      }
      at++;
    }
    blank(from, at);
    at++;
  }
  function skipString(quote: string): void {
    const from = ++at;
    while (at < source.length && source[at] !== quote && source[at] !== "\n") at += source[at] === "\\" ? 2 : 1;
    blank(from, at);
    at++;
  }
  function skipComment(end: string): void {
    const found = source.indexOf(end, at + 2);
    const to = found === -1 ? source.length : found;
    blank(at, to);
    at = to + (end === "\n" ? 0 : end.length);
  }

  while (at < source.length) {
    const here = source[at];
    const depth = templates.at(-1);
    if (here === "/" && source[at + 1] === "/") skipComment("\n");
    else if (here === "/" && source[at + 1] === "*") skipComment("*/");
    else if (here === '"' || here === "'") skipString(here);
    else if (here === "`") {
      at++;
      skipTemplate();
    } else if (depth !== undefined && here === "}" && depth === 0) {
      templates.pop();
      at++;
      skipTemplate();
    } else {
      if (depth !== undefined && here === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && here === "}") templates[templates.length - 1] = depth - 1;
      at++;
    }
  }
  return out.join("");
}
