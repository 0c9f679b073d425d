import type { z } from "zod";
import { agents } from "./agents.ts";
import { artifacts } from "./artifacts.ts";
import { ask } from "./ask.ts";
import { describeError } from "./describe-error.ts";
import { openEffects } from "./effect.ts";
import { exec } from "./exec.ts";
import { files } from "./files.ts";
import type { BootConfig, RunInfo } from "./host.ts";
import { jobs } from "./jobs.ts";
import { kv } from "./kv.ts";
import { llm } from "./llm.ts";
import { log } from "./log.ts";
import { notify } from "./notify.ts";
import { PermanentError } from "./permanent-error.ts";
import { ErrorClass, jsonParse, jsonStringify, promiseThen } from "./primordials.ts";
import { settleRun } from "./run-state.ts";
import { requireZod, zod } from "./schemas.ts";
import { secrets } from "./secrets.ts";
import { sleep } from "./sleep.ts";
import { tasks } from "./tasks.ts";

/** What every run gets besides its input and what tells which run it is. */
const doors = { kv, secrets, log, files, artifacts, llm, notify, exec, sleep, ask, jobs, agents, tasks };

type JobContext = typeof doors & { input: unknown; run: RunInfo };
type JobDefinition = { run: (context: JobContext) => unknown; input?: z.ZodType } & Record<string, unknown>;

/** Marks what came from defineJob, so that a default export of another shape gets a clear error. */
const defined = new WeakSet<object>();

function isJob(value: unknown): value is JobDefinition {
  return typeof value === "object" && value !== null && defined.has(value);
}

function defineJob(definition: JobDefinition): JobDefinition {
  if (typeof definition !== "object" || definition === null) throw new TypeError("defineJob needs an object");
  if (typeof definition.run !== "function")
    throw new TypeError("defineJob needs a run function: async run({ input, log }) { … }");
  if (definition.input !== undefined && !isSchema(definition.input))
    throw new TypeError('defineJob: input must be a schema of the z that "jobrunner" exports, such as z.object({ … })');
  defined.add(definition);
  return definition;
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** What `import … from "jobrunner"` gets. */
const api = Object.freeze(
  zod === undefined
    ? Object.defineProperty({ defineJob, PermanentError }, "z", { get: requireZod })
    : { defineJob, PermanentError, z: zod },
);

type Evaluate = (
  require: (name: string) => unknown,
  module: { exports: Record<string, unknown> },
  exports: object,
) => void;

function requireModule(name: string): unknown {
  if (name === "jobrunner") return api;
  throw new ErrorClass(`the module "${name}" does not exist in a job`);
}

function loadJob(evaluate: Evaluate): JobDefinition {
  const module: { exports: Record<string, unknown> } = { exports: {} };
  evaluate(requireModule, module, module.exports);
  const job = module.exports.default;
  if (!isJob(job)) throw new ErrorClass("the job file must have `export default defineJob({ … })`");
  return job;
}

function inputError(error: z.ZodError): Error {
  const lines = error.issues.map(
    (issue) => `${issue.path.length > 0 ? issue.path.join(".") : "input"}: ${issue.message}`,
  );
  const wrapped = new ErrorClass(`the input does not fit the job's schema: ${lines.slice(0, 10).join("; ")}`);
  wrapped.name = "InputError";
  wrapped.stack = `InputError: ${wrapped.message}`;
  return wrapped;
}

/** Where no input is given, the schema's defaults fill it in. */
async function readInput(job: JobDefinition, inputJson: string | null): Promise<unknown> {
  const given: unknown = inputJson === null ? undefined : jsonParse(inputJson);
  if (job.input === undefined) return given ?? {};
  const first = await job.input.safeParseAsync(given ?? {});
  if (first.success) return first.data;
  throw inputError(first.error);
}

const maxOutput = 1_000_000;

function outputJson(value: unknown): string | null {
  if (value === undefined) return null;
  const json = jsonStringify(value);
  if (typeof json !== "string") throw new TypeError("what run() returns must be JSON: a function or symbol is not");
  if (json.length > maxOutput)
    throw new RangeError(`what run() returns has ${json.length} characters of JSON; at most ${maxOutput} are kept`);
  return json;
}

function fail(thrown: unknown): void {
  settleRun({ state: "failed", error: describeError(thrown) });
}

/** Plain data of what defineJob got: functions fall away, the input schema becomes JSON Schema. */
function declarationJson(job: JobDefinition): string {
  const { input, run: _run, ...declared } = job;
  const schema = input === undefined ? null : requireZod().toJSONSchema(input, { io: "input", unrepresentable: "any" });
  return jsonStringify({ ...declared, input: schema });
}

/** Evaluates the bundle and starts what was asked for. Never throws: errors become the run's outcome. */
export function startJob(evaluate: Evaluate, config: BootConfig): void {
  try {
    const job = loadJob(evaluate);
    if (config.declare) {
      settleRun({ state: "succeeded", outputJson: declarationJson(job) });
      return;
    }
    openEffects(config);
    const started = (async () => {
      const input = await readInput(job, config.inputJson);
      return await job.run({ ...doors, input, run: Object.freeze({ ...config.info }) });
    })();
    promiseThen(
      started,
      (value) => {
        try {
          settleRun({ state: "succeeded", outputJson: outputJson(value) });
        } catch (thrown) {
          fail(thrown);
        }
      },
      fail,
    );
  } catch (thrown) {
    fail(thrown);
  }
}
