import { parseDuration } from "../duration.ts";
import { UserError } from "../errors.ts";
import { formatRunId, parseRunId } from "../runs/run-id.ts";

export type DeadOptions = { job?: string; reason?: string; since?: string };

/** The dead letters that a command means, as the daemon is asked for them: runs by name, or those of a job. Throws `invalid_argument`. */
export function deadChoice(handles: readonly string[], options: DeadOptions): object {
  if (handles.length > 0 && Object.keys(options).length > 0) {
    throw new UserError("invalid_argument", "Name runs, or choose them by --job; not both.");
  }
  if (handles.length > 0) return { runs: handles.map((handle) => formatRunId(parseRunId(handle))) };
  if (options.job === undefined) {
    throw new UserError("invalid_argument", "Which runs? Name them, such as R152, or those of a job with --job.", {
      next: "jr dead",
    });
  }
  return deadFilter(options);
}

/** The options as the daemon's filter. Throws `invalid_argument`. */
export function deadFilter({ job, reason, since }: DeadOptions): Record<string, string> {
  return {
    ...(job === undefined ? {} : { job }),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since_ms: String(sinceMs(since)) }),
  };
}

function sinceMs(written: string): number {
  const ms = parseDuration(written);
  if (ms !== undefined && ms > 0) return ms;
  throw new UserError(
    "invalid_argument",
    `--since is a time such as "2d", "6h" or "30m", not "${written.slice(0, 40)}".`,
  );
}
