import type { Row } from "../store/tables.ts";

/** The dedupe key of a node's present try: `plan:3:node:attempt`. */
export function tryKey({ plan_id, key, attempt }: Pick<Row<"plan_nodes">, "plan_id" | "key" | "attempt">): string {
  return `plan:${plan_id}:${key}:${attempt}`;
}
