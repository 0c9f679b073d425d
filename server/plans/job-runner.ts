import { UserError } from "../errors.ts";
import { type ControlDeps, requestCancel, requestRun } from "../runs/control.ts";
import { requireRun } from "../runs/read.ts";
import { type RunError, readRunError } from "../runs/run-error.ts";
import type { Row } from "../store/tables.ts";
import type { NodeError } from "./node-error.ts";
import { type NodeOutcome, type NodeRunner, noUsage } from "./node-runner.ts";
import { fillJson, valueAt } from "./references.ts";

/** Nodes that are a run of an approved job, asked for by whoever asked for the plan. */
export function jobRunner(deps: ControlDeps): NodeRunner {
  const { db } = deps.store;
  return {
    async start({ plan, spec, outputs, dedupeKey }) {
      if (spec.kind !== "job") throw new Error(`no job: ${spec.kind}`);
      const { run } = await requestRun(deps, {
        job: spec.job,
        input: fillJson(spec.input, (reference) => valueAt(reference, outputs.get(reference.node) ?? null)),
        trigger: plan.origin,
        requestedBy: plan.requested_by,
        planKey: dedupeKey,
        traceId: plan.trace_id,
      });
      return { runId: run.id };
    },
    look: async (node) => outcomeOf(await requireRun(db, node.run_id ?? 0)),
    async cancel(node, by) {
      if (node.run_id === null) return;
      try {
        const { cancel_requested_at: asked } = await requireRun(db, node.run_id);
        if (asked === null) await requestCancel(deps, { run: node.run_id, by });
      } catch (thrown) {
        if (!(thrown instanceof UserError && thrown.code === "run_not_active")) throw thrown;
      }
    },
  };
}

function outcomeOf({ state, output, error }: Row<"runs">): NodeOutcome {
  switch (state) {
    case "queued":
    case "running":
    case "suspended":
    // It goes on, or ends, once the person has decided.
    case "needs_decision":
      return { state: "running" };
    case "succeeded":
      return { state: "succeeded", output: output ?? "null", usage: noUsage };
    case "cancelled":
      return { state: "cancelled", usage: noUsage };
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed":
    case "denied":
      return { state: "failed", error: asNodeError(readRunError(error), state), usage: noUsage };
    default:
      return state satisfies never;
  }
}

function asNodeError(error: RunError | null, state: string): NodeError {
  if (error === null) return { reason: state, class: "permanent", message: `the run ended as ${state}` };
  const { reason, message } = error;
  switch (error.class) {
    case "memory":
    case "nondeterminism":
      return { reason, class: "permanent", message };
    case "transient":
    case "permanent":
    case "timeout":
    case "policy":
      return { reason, class: error.class, message };
    default:
      return error.class satisfies never;
  }
}
