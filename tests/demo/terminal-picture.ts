/** What SGR codes stand for; the rest is left out. */
const colours: Readonly<Record<string, string>> = {
  "31": "#f47067",
  "32": "#8ddb8c",
  "33": "#daaa3f",
  "34": "#6cb6ff",
  "35": "#dcbdfb",
  "36": "#56d4dd",
  "90": "#768390",
  "91": "#ff938a",
  "92": "#a2e8a1",
  "93": "#eac55f",
};
const lineHeight = 18;
const charWidth = 7.83;
const columns = 110;

type Style = { fill?: string; bold: boolean; dim: boolean };

/** Terminal text with ANSI colours as an SVG picture. Longer lines are cut. */
export function terminalPicture(text: string): string {
  const lines = text.replace(/^\n+/, "").split("\n");
  const width = Math.ceil(columns * charWidth + 40);
  const height = lines.length * lineHeight + 40;
  const rows = lines.map((line, index) => {
    return `<text x="20" y="${34 + index * lineHeight}" xml:space="preserve">${spans(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    "<title>A terminal session of JobRunner</title>",
    `<rect width="100%" height="100%" rx="8" fill="#1c2128"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#cdd9e5">`,
    ...rows,
    "</g></svg>\n",
  ].join("\n");
}

function spans(line: string): string {
  const style: Style = { bold: false, dim: false };
  let left = columns;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes begin with ESC
  return line.replace(/\x1b\[([\d;]*)m|([^\x1b]+)/g, (_, codes: string | undefined, text: string | undefined) => {
    if (text === undefined) {
      for (const code of (codes || "0").split(";")) applyCode(style, code);
      return "";
    }
    const shown = text.slice(0, left);
    left -= shown.length;
    const weight = style.bold ? ' font-weight="bold"' : "";
    const fill = style.fill ? ` fill="${style.fill}"` : style.dim ? ' fill="#768390"' : "";
    return shown === "" ? "" : `<tspan${weight}${fill}>${escapeXml(shown)}</tspan>`;
  });
}

function applyCode(style: Style, code: string): void {
  const colour = colours[code];
  if (colour) style.fill = colour;
  else if (code === "1") style.bold = true;
  else if (code === "2") style.dim = true;
  else if (code === "22") Object.assign(style, { bold: false, dim: false });
  else if (code === "39") delete style.fill;
  else if (code === "0") {
    Object.assign(style, { bold: false, dim: false });
    delete style.fill;
  }
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
