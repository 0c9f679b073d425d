import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";

/** `agents.start`: gives a task to an agent of a granted role. Repeated after a crash, it brings back the same agent. */
export const agentsStart = defineEffect({
  op: "agent.start",
  kind: "outside",
  args: z.strictObject({
    role: z.string().min(1).max(100),
    prompt: z.string().min(1).max(200_000),
    schema: z.record(z.string(), z.json()).nullable(),
  }),
  safe: () => true,
  allow({ permissions }, { role }) {
    if (permissions.agents.includes(role)) return;
    throw new UserError(
      "permission_denied",
      `agents.run: the signed manifest does not name the role ${role}; declare permissions.agents: ["${role}"].`,
    );
  },
  async perform({ services, manifest, job, runId, attempt, seq, traceId }, order) {
    const { requestBytes } = manifest.limits;
    if (Buffer.byteLength(order.prompt) > requestBytes) {
      throw new UserError(
        "limit_exceeded",
        `The prompt is longer than ${requestBytes} bytes; limits.requestBytes in defineJob raises that.`,
      );
    }
    const dedupeKey = `run:${runId}-${attempt}-${seq}`;
    return { agent: await services.startAgent({ ...order, parent: runId, parentJob: job, dedupeKey, traceId }) };
  },
});
