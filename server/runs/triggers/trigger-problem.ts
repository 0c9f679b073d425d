import type { Manifest } from "../../jobs/manifest.ts";
import type { Row } from "../../store/tables.ts";
import type { RunEvent } from "./run-event.ts";

/** Why a trigger may not have started that run, by the signed manifest that is about to run; undefined where it may. */
export function triggerProblem(
  { trigger }: Pick<Row<"runs">, "trigger">,
  event: RunEvent | null,
  { triggers }: Pick<Manifest, "triggers">,
): string | undefined {
  switch (trigger) {
    case "schedule":
    case "person":
    case "host":
    case "job":
    case "agent":
      return undefined;
    case "after": {
      if (event?.kind !== "after") return "nothing says which run it follows";
      const named = triggers.after.some(({ job }) => job === event.job);
      return named ? undefined : `the signed manifest has no trigger after ${event.job}`;
    }
    case "files":
      if (event?.kind !== "files") return "nothing says which files changed";
      return triggers.files.length > 0 ? undefined : "the signed manifest waits for no files";
    case "webhook":
      if (event?.kind !== "webhook") return "nothing says what was sent";
      return triggers.webhook ? undefined : "the signed manifest has no webhook";
    default:
      return trigger satisfies never;
  }
}
