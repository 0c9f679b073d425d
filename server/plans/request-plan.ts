import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { subjectNoun, subjectWord } from "../review/subject.ts";
import type { Row } from "../store/tables.ts";
import { knownNames } from "./catalogue.ts";
import { requireSoundPlan } from "./check-plan.ts";
import { createPlan } from "./create-plan.ts";
import { plannerRole } from "./decompose-runner.ts";
import { type EstimateDeps, estimatePlan, type NodeEstimate } from "./estimate-plan.ts";
import { type PlanCaps, resolveCaps } from "./plan-caps.ts";
import type { PlanSpec } from "./plan-spec.ts";
import { type CatalogueDeps, readCatalogue } from "./read-catalogue.ts";
import { unsignedNames } from "./unsigned.ts";

export type RequestDeps = CatalogueDeps &
  EstimateDeps &
  Readonly<{
    config: Pick<Config, "plans">;
    /** A command for the person, that works as pasted. */
    command: (...words: string[]) => string;
  }>;

export type PlanRequest = Readonly<{
  spec: PlanSpec;
  /** Store it as a draft, once it has nodes. */
  planOnly: boolean;
  /** Store nothing. */
  dryRun: boolean;
  origin: Row<"plans">["origin"];
  requestedBy: string;
  traceId: string;
}>;

/** Names that nobody has signed yet, as the person writes and reads them. */
type Unsigned = readonly Readonly<{ noun: string; command: string }>[];

export type PlanAnswer = Readonly<{
  /** Null where nothing was stored. */
  plan: Row<"plans"> | null;
  caps: PlanCaps;
  /** Caps that were asked for and are above the person's. */
  cut: readonly string[];
  /** In the order in which they run; empty where the planner is to make them. */
  estimates: readonly NodeEstimate[];
  unsigned: Unsigned;
}>;

/**
 * Checks a plan, and stores it unless it is a dry run. Throws `plan_invalid`, and `not_approved` where it is to run and names what
 * nobody has signed.
 */
export async function requestPlan(deps: RequestDeps, request: PlanRequest): Promise<PlanAnswer> {
  const { spec, planOnly, dryRun, origin, requestedBy, traceId } = request;
  const { plans } = deps.config;
  const catalogue = await readCatalogue(deps, origin);
  const nodes = spec.nodes ?? [];
  requireSoundPlan(nodes, plans.nodes, knownNames(catalogue));
  const named = unsignedNames(nodes, catalogue);
  const planner =
    spec.nodes === undefined && !catalogue.roles.some(({ name, signed }) => signed && name === plannerRole);
  const unsigned = [...named, ...(planner ? [{ kind: "role" as const, name: plannerRole }] : [])].map((subject) => ({
    noun: subjectNoun(subject),
    command: deps.command("approve", subjectWord(subject)),
  }));
  const { caps, cut } = resolveCaps(spec.caps, plans);
  const estimates = dryRun || planOnly ? await estimatePlan(deps, spec) : [];
  const found = { caps, cut, estimates, unsigned };
  if (dryRun) return { plan: null, ...found };
  const [first] = unsigned;
  if (first !== undefined && (!planOnly || planner)) {
    throw new UserError("not_approved", `Not signed yet: ${unsigned.map(({ noun }) => noun).join(", ")}.`, {
      next: `the person: ${first.command}`,
    });
  }
  const plan = await createPlan(deps.store, { spec, caps, hold: planOnly, origin, requestedBy, traceId });
  return { plan, ...found };
}
