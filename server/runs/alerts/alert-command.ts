import type { Row } from "../../store/tables.ts";
import { formatRunId } from "../run-id.ts";

/** The words of the `jr` command that looks closer at what an alert is about; null where there is none but the status itself. */
export function alertCommand({ key, run_id }: Pick<Row<"alerts">, "key" | "run_id">): readonly string[] | null {
  if (run_id !== null) return [key.endsWith(":question") ? "answer" : "show", formatRunId(run_id)];
  const [kind, subject] = key.split(":");
  if (subject === undefined) return null;
  if (kind === "plan") return ["plan-show", subject];
  return kind === "job" ? ["job", subject] : null;
}
