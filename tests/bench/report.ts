/** A table in Markdown, so that it can be quoted as it is. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |\n`;
  process.stdout.write(`\n${line(head)}${line(widths.map((width) => "-".repeat(width)))}`);
  for (const row of rows) process.stdout.write(line(row));
  process.stdout.write("\n");
}

/** Says whether a bar of the design is met. The figure has the bar's unit. */
export function printBar(what: string, figure: number, bar: number, unit: string, kind: "at most" | "at least"): void {
  const held = kind === "at most" ? figure <= bar : figure >= bar;
  const digits = figure < 20 ? 2 : 0;
  process.stdout.write(
    `${held ? "held  " : "MISSED"} ${what}: ${figure.toFixed(digits)}${unit} (bar: ${kind} ${bar.toFixed(bar < 1 ? 3 : 0)}${unit})\n`,
  );
}
