import type { Row } from "../store/tables.ts";
import { type Step, stepSchema } from "./loop/step.ts";

/** The step in a row. */
export function parseStep({ kind, request, result }: Pick<Row<"agent_steps">, "kind" | "request" | "result">): Step {
  return stepSchema.parse({
    kind,
    request: JSON.parse(request),
    result: result === null ? null : JSON.parse(result),
  });
}
