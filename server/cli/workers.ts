import { Command } from "commander";
import { z } from "zod";
import { formatMs } from "../format-time.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { painter } from "./paint.ts";
import { jsonText, stateText, tableText } from "./show-list.ts";
import { type WorkerAnswer, workerAnswer } from "./worker-answer.ts";

const shownJobs = 20;

/** `jr workers`: the processes that execute runs, this daemon among them. */
export function command(context: CliContext): Command {
  const workers = new Command("workers").description("which machines execute runs, and what each cannot serve");
  workers
    .command("list", { isDefault: true })
    .description("state, load, version, last heartbeat, labels, and what each lacks")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) => list(context, options.json === true));
  workers
    .command("remove")
    .description("forget one that is gone, so that no run waits for it to come back")
    .argument("<name>", "as jr workers shows it")
    .action(async (name: string) => {
      await (await connectDaemon(context)).post("/api/workers/remove", { name }, z.object({}));
      print(context, `Removed: ${name}.`);
    });
  return workers;
}

async function list(context: CliContext, json: boolean): Promise<void> {
  const answer = z.object({ workers: z.array(workerAnswer) });
  const { workers } = await (await connectDaemon(context)).get("/api/workers", answer);
  if (json) return print(context, jsonText(workers));
  if (workers.length === 0) return say(context, "No worker is on record.");
  const rows = workers.map((worker) => [
    visibleLine(worker.name),
    worker.role,
    stateText(context, worker.state),
    `${worker.running}/${worker.max}`,
    visibleLine(worker.version),
    `${formatMs(worker.silent_ms)} ago`,
    visibleLine(worker.labels.join(" ")),
  ]);
  print(context, tableText(context, ["WORKER", "ROLE", "STATE", "RUNS", "VERSION", "HEARD", "LABELS"], rows));
  const remarks = workers.flatMap((worker) => remarksOn(worker));
  if (remarks.length > 0)
    print(context, ["", painter(context)("bold", "What they leave to others"), ...remarks].join("\n"));
}

function remarksOn({ name, state, problem, lacks }: WorkerAnswer): string[] {
  if (state === "lost" || state === "ended") return [];
  const more = lacks.length - shownJobs;
  return [
    ...(problem === null ? [] : [`  ${name} takes no runs: ${problem}`]),
    ...lacks.slice(0, shownJobs).map(({ job, why }) => `  ${name} leaves ${job} to others: it ${why}`),
    ...(more > 0 ? [`  ${name} leaves ${more} more jobs to others`] : []),
  ].map(visibleLine);
}
