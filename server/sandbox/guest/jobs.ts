import { requireText } from "./arguments.ts";
import { effect } from "./effect.ts";
import { ErrorClass } from "./primordials.ts";

type Ended = { run: string; state: string; output: unknown; error: { reason: string; message: string } | null };

/** Runs of other jobs that the manifest names. */
export const jobs = Object.freeze({
  start: (name: string, input: unknown = null) =>
    effect<{ run: string }>("run.start", { job: requireText(name, "the name of a job"), input }),
  wait: (run: string) => effect<Ended>("run.wait", { run: requireText(run, "the run") }),
  /** Starts one, waits for it, and gives its output. */
  call: async (name: string, input: unknown = null): Promise<unknown> => {
    const { run, state, output, error } = await jobs.wait((await jobs.start(name, input)).run);
    if (state === "succeeded") return output;
    throw new ErrorClass(`${name} (${run}) ended as ${state}${error === null ? "" : `: ${error.message}`}`);
  },
});
