import { z } from "zod";
import { requireVersion } from "../server/jobs/read.ts";
import { buildReview, type Review } from "../server/review/review.ts";
import { reviewMarkdown } from "../server/review/review-text.ts";
import { jobName, versionNumber, waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";
import type { ToolContext } from "./tool-context.ts";
import { waitForDecision } from "./wait-for-decision.ts";

export const jobReview = defineTool({
  name: "job_review",
  title: "Review a job for approval",
  description:
    "What the person is asked to sign, and the exact command to hand to them: only a person can approve. With wait_seconds, waits for their decision and tells it.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: jobName,
    version: versionNumber.optional(),
    wait_seconds: waitSeconds,
  }),
  async handle(context, { name, version, wait_seconds }) {
    const found = await reviewOf(context, name, version);
    if (wait_seconds === undefined) return withSecrets(context, found);
    // Who waits asks about what was submitted last, also where the person was faster and has rejected it already.
    const isOlder = version === undefined && found.version !== found.newest;
    const review = isOlder ? await reviewOf(context, name, found.newest) : found;
    if (review.state !== "pending") return decided(context, review);
    await waitForDecision(context, { job: name, version: review.version, waitSeconds: wait_seconds });
    const now = await reviewOf(context, name, review.version);
    if (now.state !== "pending") return decided(context, now);
    return `${name} v${now.version} still waits for the person, after ${wait_seconds} s. Their command:\n\n\`\`\`sh\n${context.command("approve", name, `v${now.version}`)}\n\`\`\`\n\nNext: job_review {"name": "${name}", "wait_seconds": 50} again, or go on with something else; nothing is lost by waiting.`;
  },
});

/** The review of a version; the waiting one where none is named. */
export function reviewOf(
  { store, approvals, diffBehaviour, clock }: ToolContext,
  name: string,
  version: number | undefined,
): Promise<Review> {
  return buildReview({ db: store.db, approvals, diffBehaviour, clock }, name, version);
}

/** The review as Markdown, with the commands for secrets that have no value yet. */
export async function withSecrets({ store, command, secretNames }: ToolContext, review: Review): Promise<string> {
  const { manifest } = await requireVersion(store.db, review.job, review.version);
  const missing = Object.keys(manifest.permissions.secrets).filter((secret) => !secretNames().includes(secret));
  const text = reviewMarkdown(review, command);
  if (missing.length === 0) return text;
  const commands = missing.map((secret) => command("secrets", "set", secret)).join("\n");
  return `${text}\n\nThese secrets have no value yet; the person sets them (never ask for a value):\n\`\`\`sh\n${commands}\n\`\`\``;
}

function decided({ command }: ToolContext, review: Review): string {
  const { job, version, state } = review;
  switch (state) {
    case "approved": {
      if (review.active?.version !== version) {
        return `${job} v${version} was approved once, but v${review.active?.version ?? "?"} is active now. The person can go back to it with: ${command("activate", job, `v${version}`)}`;
      }
      const next = review.schedules.flatMap((schedule) => schedule.next.slice(0, 1));
      return `**Approved**: ${job} v${version} is active since ${review.active.decidedAt}. Next slot: ${next.join(", ") || "none, it runs by request"}.\n\nNext: job_run {"name": "${job}", "wait_seconds": 50} to see it work.`;
    }
    case "rejected":
      return `**Rejected**: ${job} v${version}. The person's note: ${review.rejectedNote === null ? "none" : inline(review.rejectedNote, 1_000)}\n\nNext: change the job accordingly and job_submit it again.`;
    case "superseded":
      return `${job} v${version} was superseded by v${review.newest}. Next: job_review {"name": "${job}"}.`;
    case "revoked":
      return `**Revoked**: ${job} v${version} does not run any more. Ask the person why before submitting another.`;
    case "pending":
      return `${job} v${version} waits for the person.`;
    default:
      return state satisfies never;
  }
}
