import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { orderNodes } from "./order-nodes.ts";
import type { PlanNode } from "./plan-spec.ts";
import { needsOf } from "./references.ts";

/** Puts a sound graph on record, behind what the plan has already, each node with all that it needs. */
export async function insertNodes(
  db: Db,
  { id }: Pick<Row<"plans">, "id">,
  nodes: readonly PlanNode[],
  firstPosition = 0,
): Promise<void> {
  const byKey = new Map(nodes.map((node) => [node.key, { ...node, needs: needsOf(node) }]));
  const order = orderNodes(new Map([...byKey].map(([key, { needs }]) => [key, needs])));
  const rows = order.flatMap(({ key, level }, at) => {
    const node = byKey.get(key);
    if (node === undefined) return [];
    return {
      plan_id: id,
      key,
      position: firstPosition + at,
      level,
      kind: node.kind,
      spec: storableText(JSON.stringify(node)),
      optional: node.optional,
      state: "waiting" as const,
      history: "[]",
    };
  });
  await db.insertInto("plan_nodes").values(rows).execute();
}
