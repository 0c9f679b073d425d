import type { Store } from "../store/open-store.ts";
import { requireTask } from "../tasks/require-task.ts";
import { taskText } from "./node-prompt.ts";
import { type NodeOutcome, type NodeRunner, noUsage } from "./node-runner.ts";

/** Nodes that are a task of somebody outside: the person, or a host agent. What they say of it is the node's output. */
export function peopleRunner({ db }: Pick<Store, "db">): NodeRunner {
  return {
    async start() {
      return {};
    },
    look: async ({ task_id }) => (task_id === null ? waits : outcomeOf(await requireTask(db, task_id))),
    // Its task is ended with the node.
    async cancel() {},
    taskBody({ spec, outputs }) {
      if (spec.kind !== "person" && spec.kind !== "host") throw new Error(`nobody outside works on ${spec.kind}`);
      return taskText(spec, outputs);
    },
  };
}

const waits: NodeOutcome = { state: "running" };

function outcomeOf({ state, result }: Awaited<ReturnType<typeof requireTask>>): NodeOutcome {
  switch (state) {
    case "open":
    case "in_progress":
      return waits;
    case "done":
      return { state: "succeeded", output: result ?? "done", usage: noUsage };
    case "failed": {
      const error = { reason: "task_failed", class: "permanent", message: result ?? "its task failed" } as const;
      return { state: "failed", error, usage: noUsage };
    }
    case "cancelled":
    case "skipped":
      return { state: "cancelled", usage: noUsage };
    default:
      return state satisfies never;
  }
}
