import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { instructions } from "../server/mcp/instructions.ts";
import { tools } from "../tools/table.ts";

/*
 * Compares what `tools/list` answers with the committed snapshot, so that no schema changes unseen, and holds the size of it all.
 * `--write` takes the present state as the snapshot.
 */
const snapshotFile = new URL("../tests/snapshots/tools.json", import.meta.url);
const maxTokens = 8_000;
const maxTools = 20;
const maxInstructionBytes = 2_048;
/** An estimate: JSON of this kind has about so many characters per token. */
const charsPerToken = 3.6;

const listed = tools.map(({ name, title, description, annotations, inputSchema }) => ({
  name,
  title,
  description,
  annotations,
  inputSchema,
}));
const tokens = Math.ceil(JSON.stringify({ tools: listed }).length / charsPerToken);
const text = `${JSON.stringify(listed, null, 2)}\n`;
const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
if (values.write) writeFileSync(snapshotFile, text);

const hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
const problems = [
  ...(readSnapshot() === text
    ? []
    : ["tools/list differs from tests/snapshots/tools.json: look at the change, then run with --write"]),
  ...(tools.length <= maxTools ? [] : [`${tools.length} tools; at most ${maxTools}`]),
  ...(tokens < maxTokens ? [] : [`tools/list has about ${tokens} tokens; the limit is ${maxTokens}`]),
  ...(Buffer.byteLength(instructions) < maxInstructionBytes ? [] : ["the server instructions pass 2 KB"]),
  ...tools.flatMap((tool) =>
    hints.filter((hint) => typeof tool.annotations[hint] !== "boolean").map((hint) => `${tool.name} lacks ${hint}`),
  ),
  ...tools.filter((tool) => !/^[a-z]+(_[a-z]+)?$/.test(tool.name)).map((tool) => `${tool.name} is not noun_verb`),
];
for (const problem of problems) process.stderr.write(`check-tools: ${problem}\n`);
process.stdout.write(
  `${tools.length} tools, about ${tokens} tokens (estimated as characters / ${charsPerToken}; limit ${maxTokens})\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function readSnapshot(): string {
  try {
    return readFileSync(snapshotFile, "utf8");
  } catch {
    return "";
  }
}
