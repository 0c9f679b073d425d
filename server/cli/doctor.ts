import { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import { isHeldByWorker, isLocked } from "../daemon/lock.ts";
import { messageOf, UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { type CliContext, print } from "./context.ts";
import { alertsCheck } from "./doctor/alerts-check.ts";
import { type Check, type CheckInput, type Finding, fail } from "./doctor/check.ts";
import { cloudModelsCheck } from "./doctor/cloud-models-check.ts";
import { configCheck, homeCheck, keyCheck, lockCheck, portCheck, tokensCheck } from "./doctor/home-checks.ts";
import { diskCheck, nodeCheck, sandboxCheck, serviceCheck, typesCheck } from "./doctor/machine-checks.ts";
import { modelsCheck } from "./doctor/models-check.ts";
import { storeCheck } from "./doctor/store-check.ts";
import { workersCheck } from "./doctor/workers-check.ts";
import { type Paint, painter } from "./paint.ts";

const checks: readonly Check[] = [
  nodeCheck,
  homeCheck,
  configCheck,
  tokensCheck,
  keyCheck,
  diskCheck,
  lockCheck,
  portCheck,
  storeCheck,
  workersCheck,
  sandboxCheck,
  typesCheck,
  modelsCheck,
  cloudModelsCheck,
  alertsCheck,
  serviceCheck,
];

/** `jr doctor`: looks at everything that can be wrong and says what to do. Fails where a check does. */
export function command(context: CliContext): Command {
  return new Command("doctor")
    .description("check everything and say what to do")
    .option("--json", "as JSON")
    .action((options: { json?: boolean }) => examine(context, options.json === true));
}

async function examine(context: CliContext, json: boolean): Promise<void> {
  const input: CheckInput = {
    context,
    config: readableConfig(context),
    running: isLocked(context.home) && !isHeldByWorker(context.home),
  };
  const paint = painter(context);
  const findings: (Finding & { name: string })[] = [];
  for (const { name, look } of checks) {
    const finding = { name, ...(await settled(look, input)) };
    findings.push(finding);
    if (!json) print(context, line(context, finding, paint));
  }
  if (json) print(context, JSON.stringify(findings, null, 2));
  const failed = findings.filter(({ level }) => level === "fail").map(({ name }) => name);
  if (failed.length > 0) {
    throw new UserError("unsupported", `Not in order: ${failed.join(", ")}.`, {
      next: "do what stands behind the arrows",
    });
  }
}

function readableConfig({ home, env }: CliContext): Config | undefined {
  try {
    return loadConfig(home, env);
  } catch {
    return undefined;
  }
}

async function settled(look: Check["look"], input: CheckInput): Promise<Finding> {
  try {
    return await look(input);
  } catch (error) {
    const next = error instanceof UserError ? error.next : undefined;
    return fail(messageOf(error), next ?? "see the daemon's log");
  }
}

const styles = { ok: "green", warn: "yellow", fail: "red" } as const;

function line({ home }: CliContext, { name, level, text, fix }: Finding & { name: string }, paint: Paint): string {
  const head = `${paint(styles[level], level.padEnd(4))} ${name.padEnd(13)} ${text}`;
  if (fix === undefined) return head;
  const pasteable = fix.startsWith("jr ") ? personCommand(home, ...fix.slice(3).split(" ")) : fix;
  return `${head}\n${" ".repeat(19)}→ ${pasteable}`;
}
