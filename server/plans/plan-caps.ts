import { z } from "zod";
import type { Config } from "../config.ts";
import type { CapsOrder } from "./plan-spec.ts";

const planCapsSchema = z.object({
  agents: z.int(),
  depth: z.int(),
  tokens: z.int(),
  usd: z.number(),
  wallMs: z.int(),
  parallel: z.int(),
  /** Tries of a node that says nothing of it. */
  attempts: z.int(),
});

/** What one plan may use at most. */
export type PlanCaps = Readonly<z.infer<typeof planCapsSchema>>;

/** The PlanCaps in a plan's `caps` column. */
export function readCaps(column: string): PlanCaps {
  return planCapsSchema.parse(JSON.parse(column));
}

/** What was asked for, where the person's config allows it; `cut` names what it does not. */
export function resolveCaps(order: CapsOrder, config: Config["plans"]): { caps: PlanCaps; cut: string[] } {
  const { nodes: _, ...most } = config;
  const { minutes, ...asked } = order;
  const wanted: Partial<Record<keyof PlanCaps, number | undefined>> = {
    ...asked,
    wallMs: minutes === undefined ? undefined : Math.round(minutes * 60_000),
  };
  const cut: string[] = [];
  const least = (name: keyof PlanCaps) => {
    const value = wanted[name];
    if (value !== undefined && value > most[name]) cut.push(name === "wallMs" ? "minutes" : name);
    return Math.min(value ?? most[name], most[name]);
  };
  const caps = {
    agents: least("agents"),
    depth: least("depth"),
    tokens: least("tokens"),
    usd: least("usd"),
    wallMs: least("wallMs"),
    parallel: least("parallel"),
    attempts: most.attempts,
  };
  return { caps, cut };
}
