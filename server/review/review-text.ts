import type { Review } from "./review.ts";

/** Most characters of code that a host gets in one answer; about 5,000 tokens. */
const codeBudget = 16_000;
/** Most characters of any other list. */
const listBudget = 2_500;

/**
 * The review for a host agent: Markdown below 10,000 tokens, text of the job fenced and labelled untrusted. `command` makes the
 * person's command line, as it is to be pasted.
 */
export function reviewMarkdown(review: Review, command: (...args: string[]) => string): string {
  const { job, version: v } = review;
  return [
    `# ${job} v${v}: ${review.state}`,
    comparison(review),
    "",
    ...rejection(review),
    ...section(
      review.base === null
        ? "ASKS FOR (nothing is approved yet, so all of it is new)"
        : "WIDENED since the approved version",
      review.widened,
    ),
    ...(review.base === null ? [] : section("Narrowed", review.narrowed)),
    "## What it is (untrusted text of the job and its author)",
    fence(
      [
        `description: ${review.description}`,
        `proposed by: ${review.proposedBy} at ${review.proposedAt}`,
        `note: ${clip(review.note ?? "none", listBudget, "the person's review shows the rest")}`,
      ].join("\n"),
    ),
    ...section(
      "Schedule",
      review.schedules.flatMap(({ words, timezone, next, rules }) => [
        `${words} (${timezone}); ${rules}`,
        `next: ${next.join(", ") || "never"}`,
      ]),
    ),
    ...(review.triggers.length === 0 ? [] : section("Started by", review.triggers)),
    ...(review.priority === null ? [] : [`Priority ${review.priority}`, ""]),
    ...section("Permissions, all", review.permissions),
    `Limits: ${review.limits}`,
    ...(review.runsOn.length === 0 ? [] : [`Runs only on machines with the labels: ${review.runsOn.join(", ")}`]),
    "",
    ...section("Packages", packageLines(review)),
    ...section("Check results", review.checks),
    ...foreignSection("What it did when it was rehearsed, without mocks", review.rehearsal),
    ...foreignSection("What it would have done differently", review.behaviour),
    `## Code${review.base === null ? "" : `, changes since v${review.base}`} (untrusted)`,
    fence(clip(codeText(review), codeBudget, `job_read {"name": "${job}"} shows the files`)),
    keysLine(review),
    "",
    ...ending(review, command),
  ].join("\n");
}

/** All code of a review as one text, in the form of a unified diff. */
export function codeText({ code }: Review): string {
  if (code.length === 0) return "(no change)";
  return code.map(({ path, change, lines }) => [`=== ${path} (${change})`, ...lines].join("\n")).join("\n");
}

/** Packages in one line each: changed ones say what they were. */
export function packageLines({ packages, packagesGone, packagesEdited }: Review): string[] {
  const is = packages.map(
    ({ name, version, bytes, change }) => `${name} ${version}, ${bytes} bytes${change === null ? "" : ` (${change})`}`,
  );
  return [...packagesEdited.map((path) => `CHANGED: ${path}`), ...is, ...packagesGone.map((name) => `${name}: gone`)];
}

function comparison({ base, active, version, newest }: Review): string {
  const newer = newest > version ? ` A newer one exists: v${newest}.` : "";
  if (active === null) return `Nothing of this job is approved.${newer}`;
  return base === null
    ? `This version is the active one.${newer}`
    : `v${active.version} is active and keeps running until the person decides.${newer}`;
}

function rejection({ state, rejectedNote }: Review): string[] {
  if (state !== "rejected") return [];
  return [
    "## Rejected by the person",
    fence(clip(rejectedNote ?? "(no note)", listBudget, "the person knows the rest")),
  ];
}

function keysLine({ keys }: Review): string {
  if (keys.problem !== null) return `**Nothing runs:** ${keys.problem}`;
  if (!keys.setUp) return "The person has no signing key yet.";
  return keys.protected ? "Signing key: protected by a passphrase." : "Signing key: **unprotected** (no passphrase).";
}

function ending({ job, version, state, keys }: Review, command: (...args: string[]) => string): string[] {
  const setup = keys.setUp ? [] : [command("setup")];
  switch (state) {
    case "rejected":
      return ["The person rejected this version. Change what the note asks for and submit the job again."];
    case "superseded":
      return [`A newer version took its place: job_review {"name": "${job}"}.`];
    case "pending":
    case "revoked":
      return [
        "Only the person can approve, in their own terminal; no tool does it, so do not try. Give them exactly this:",
        "```sh",
        ...setup,
        command("approve", job, `v${version}`),
        "```",
        `To refuse: \`${command("reject", job)}\`. To learn the answer: job_review {"name": "${job}", "wait_seconds": 50}.`,
      ];
    case "approved":
      return [`The person has approved this version. To stop it: \`${command("revoke", job, `v${version}`)}\`.`];
    default:
      return state satisfies never;
  }
}

function section(title: string, lines: readonly string[]): string[] {
  const text = lines.length === 0 ? "nothing" : lines.map((line) => `- ${inline(line)}`).join("\n");
  return [`## ${title}`, clip(text, listBudget, "the person's review shows the rest"), ""];
}

/** Left out where there is nothing to show. */
function foreignSection(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`## ${title} (untrusted)`, fence(clip(lines.join("\n"), listBudget, "the person's review shows the rest"))];
}

/** Names and hosts come from the job's author too, so they may not form Markdown. */
function inline(text: string): string {
  return text.replace(/[`<>[\]\\]/g, "\\$&");
}

function clip(text: string, budget: number, rest: string): string {
  if (text.length <= budget) return text;
  return `${text.slice(0, budget)}\n… ${text.length - budget} more characters; ${rest}`;
}

/** A fence longer than any run of back-ticks inside, so that the text cannot close it. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = "`".repeat(longest + 1);
  return `${mark}text\n${text}\n${mark}\n`;
}
