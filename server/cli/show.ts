import { existsSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { visibleText } from "../review/visible-text.ts";
import { effectText } from "../runs/effect-text.ts";
import { formatRunId, parseRunId } from "../runs/run-id.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { artifactAnswer, effectAnswer, runDetails } from "./run-answer.ts";
import { runText } from "./run-text.ts";
import { jsonText } from "./show-list.ts";

type Options = { effects?: boolean; artifacts?: boolean; output?: boolean; attempt?: string; json?: boolean };
type Effect = z.infer<typeof effectAnswer>;

/** `jr show R12`: what became of a run, or everything that it touched. */
export function command(context: CliContext): Command {
  return new Command("show")
    .description("show a run: state, times, error, output")
    .argument("<run>", "such as R12")
    .option("--effects", "every effect that it had, in order, instead")
    .option("--artifacts", "the files that it left instead")
    .option("--output", "its output alone, as JSON")
    .option("--attempt <n>", "for --effects; the latest where none is given")
    .option("--json", "print JSON")
    .action((run: string, options: Options) => showOrPoint(context, parseRunId(run), options));
}

/** A run that is not on record any more may be kept. */
async function showOrPoint(context: CliContext, id: number, options: Options): Promise<void> {
  try {
    await show(context, id, options);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "run_not_found" || !existsSync(context.home.archive))
      throw error;
    const next = personCommand(context.home, "archive", formatRunId(id));
    throw new UserError("run_not_found", error.message, { next });
  }
}

async function show(
  context: CliContext,
  id: number,
  { effects, artifacts, output, attempt, json }: Options,
): Promise<void> {
  const client = await connectDaemon(context);
  if (effects) return showEffects(context, await fetchEffects(client, id, attempt), json ?? false);
  if (artifacts) return showArtifacts(context, client, id, json ?? false);
  const found = await client.get(`/api/runs/${id}`, runDetails);
  if (output) return print(context, found.run.output ?? "null");
  print(context, json ? jsonText(found) : runText(context, found));
}

async function fetchEffects(client: DaemonClient, id: number, attempt: string | undefined): Promise<Effect[]> {
  const answer = z.object({ effects: z.array(effectAnswer), next: z.int().nullable(), attempt: z.int().nullable() });
  const all: Effect[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const query = new URLSearchParams({ after: String(after), limit: "100", ...(attempt && { attempt }) });
    const page: z.infer<typeof answer> = await client.get(`/api/runs/${id}/effects?${query}`, answer);
    all.push(...page.effects);
    after = page.next;
  }
  return all;
}

function showEffects(context: CliContext, effects: readonly Effect[], json: boolean): void {
  if (json) print(context, jsonText(effects));
  else if (effects.length === 0) say(context, "No effects: it touched nothing.");
  else for (const effect of effects) print(context, visibleText(effectText(effect)));
}

async function showArtifacts(context: CliContext, client: DaemonClient, id: number, json: boolean): Promise<void> {
  const schema = z.object({ folder: z.string(), host: z.string().nullable(), artifacts: z.array(artifactAnswer) });
  const found = await client.get(`/api/runs/${id}/artifacts`, schema);
  if (json) return print(context, jsonText(found));
  if (found.artifacts.length === 0) return say(context, "It has left no artifacts.");
  say(context, visibleText(`In ${found.folder}${found.host === null ? "" : ` on ${found.host}`}:`));
  for (const { name, bytes, media_type, sha256 } of found.artifacts) {
    print(context, visibleText(`${name}  ${media_type}  ${bytes} bytes  ${sha256}`));
  }
}
