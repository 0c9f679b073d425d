import { sql, type Transaction } from "kysely";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { applyResume } from "../jobs/control.ts";
import { personCommand } from "../person-command.ts";
import { resolveAlert } from "../runs/alerts.ts";
import { recordEvent } from "../runs/events.ts";
import { notify, type Store } from "../store/open-store.ts";
import type { Tables } from "../store/tables.ts";
import type { Approvals } from "./approvals.ts";
import { parseDecisionText } from "./canonical-text.ts";
import { appendRow, type Chain, decisionHash, findApproval, type Link, startChain } from "./chain.ts";
import { brokenChain, rowsFrom } from "./follow-chain.ts";
import { keyId } from "./public-key.ts";
import { refusalAlertKey } from "./report-refusal.ts";
import { storedVersions } from "./stored-versions.ts";
import { isSignedKind, type Subject, subjectNoun, subjectTitle, subjectWord } from "./subject.ts";
import { readTrustedKeys } from "./trusted-keys.ts";
import { findDifference } from "./verify-version.ts";

export type RecordDeps = Readonly<{ store: Store; home: Home; approvals: Approvals; clock: () => Date }>;

/** Writers of all machines take turns: an advisory lock of this number for the length of a transaction. */
const chainLock = 7_717_001;

/**
 * Records one signed decision; the sole writer of the chain. See `recordDecisions` for what it throws.
 */
export async function recordDecision(deps: RecordDeps, signed: { text: string; signature: string }): Promise<Link> {
  const [link] = await recordDecisions(deps, [signed]);
  if (link === undefined) throw new Error("a recorded decision has a link");
  return link;
}

/**
 * Records signed decisions that follow each other, all or none, after verifying each against the whole chain, this machine's
 * trusted keys and the stored versions. Throws `approval_invalid`, `key_untrusted`, `stale_review`, `chain_broken`, `not_approved`,
 * `version_not_found`.
 */
export async function recordDecisions(
  deps: RecordDeps,
  signed: readonly Readonly<{ text: string; signature: string }>[],
): Promise<readonly Link[]> {
  const { store, home, approvals, clock } = deps;
  // Reports what was forged before it is set aside.
  await approvals.decisions();
  const links = await store.db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${chainLock})`.execute(trx);
    const chain = startChain(readTrustedKeys(home));
    for (const row of await rowsFrom(trx, 0)) appendRow(chain, row);
    await setForgeriesAside(trx, chain);
    const recorded: Link[] = [];
    for (const one of signed) recorded.push(await recordOne(trx, chain, home, one, clock()));
    await notify(trx, "decisions");
    return recorded;
  });
  // Sees the new rows, and so tells every listener of this machine before the person gets the answer.
  await approvals.decisions();
  return links;
}

async function recordOne(
  trx: Transaction<Tables>,
  chain: Chain,
  home: Home,
  { text, signature }: { text: string; signature: string },
  now: Date,
): Promise<Link> {
  const decision = parseDecisionText(text);
  const broken = brokenChain(home, chain);
  if (broken !== undefined && decision.decision !== "accept_chain") throw broken;
  if (decision.previous !== chain.head.hash) {
    throw new UserError("stale_review", "Another decision was recorded since you looked.", {
      next: "look again, and decide again",
    });
  }
  const row = {
    kind: decision.kind,
    name: decision.name,
    version: decision.version,
    decision: decision.decision,
    text,
    signature,
    key_id: keyId(decision.key),
    hash: decisionHash(text, signature),
    previous: decision.previous,
  };
  const approvedBefore =
    decision.version !== null && findApproval(chain, decision.kind, decision.name, decision.version) !== undefined;
  const { link, refusal } = appendRow(chain, { ...row, seq: chain.head.seq + 1, created_at: now });
  if (refusal !== undefined)
    throw new UserError(refusal.code, `That decision does not count: ${refusal.reason}.`, {
      next: personCommand(home, "keys", "list"),
    });
  if (link === undefined) throw new Error("a row that is not refused is a link");
  await applyToVersions(trx, home, link, approvedBefore);
  if (decision.decision === "accept_chain") {
    const still = brokenChain(home, chain);
    if (still !== undefined) throw still;
  }
  // A person has just looked at what did not verify, and decided.
  await resolveAlert(trx, { key: refusalAlertKey(decision.kind, decision.name), now });
  const { seq } = await trx.insertInto("decisions").values(row).returning("seq").executeTakeFirstOrThrow();
  chain.head = { seq, hash: row.hash };
  const recorded = { ...link, seq };
  await recordForAudit(trx, recorded);
  chain.links[chain.links.length - 1] = recorded;
  return recorded;
}

/** How the audit trail calls decisions; a resume is told as the change of the job that it is. */
const eventKinds = {
  approve: "version.approved",
  activate: "version.activated",
  revoke: "version.revoked",
  trust: "key.trusted",
  revoke_key: "key.revoked",
  accept_chain: "chain.accepted",
} as const;

/** The signature stands in the chain alone; the audit trail says when it was given, and by which key. */
async function recordForAudit(trx: Transaction<Tables>, { seq, keyId: by, decision }: Link): Promise<void> {
  const { kind, name, version, decision: verb, note } = decision;
  if (verb === "resume") return;
  await recordEvent(trx, {
    kind: eventKinds[verb],
    actor: signer(by),
    subject: isSignedKind(kind) ? subjectWord({ kind, name }) : `${kind}:${name}`,
    detail: { version, note, decision: seq },
    traceId: null,
  });
}

function signer(key: string): string {
  return `person (key ${key})`;
}

/** Marks the stored versions that a decision is about, once they are what it says. */
async function applyToVersions(
  trx: Transaction<Tables>,
  home: Home,
  { decision, keyId: by }: Link,
  approvedBefore: boolean,
): Promise<void> {
  const { kind, name, version, decision: verb } = decision;
  if (!isSignedKind(kind)) return;
  const subject = { kind, name };
  const versions = storedVersions(trx, subject);
  await versions.requireKnown();
  if (version !== null) {
    const stored = await versions.find(version);
    if (stored === undefined)
      throw new UserError("version_not_found", `${subjectTitle(subject)} has no v${version}.`, {
        next: personCommand(home, "review", subjectWord(subject)),
      });
    const differing = findDifference(stored, decision);
    if (differing !== undefined && verb !== "revoke") {
      throw new UserError(
        "stale_review",
        `v${version} of ${subjectNoun(subject)} changed since the review: ${differing} is another.`,
        { next: personCommand(home, "review", subjectWord(subject)) },
      );
    }
    if (verb === "approve" && stored.state === "superseded")
      refuseSuperseded(home, subject, version, await versions.findPending({ above: version }));
    if (verb === "activate" && !approvedBefore) {
      throw new UserError(
        "not_approved",
        `v${version} of ${subjectNoun(subject)} has no approval that counts, so it must be approved, not activated.`,
        { next: personCommand(home, "approve", subjectWord(subject), `v${version}`) },
      );
    }
  }
  switch (verb) {
    case "approve":
    case "activate":
      // Both name a version: the signed text has no other form.
      if (version !== null) await versions.approve(version);
      return;
    case "revoke":
      return versions.revoke(version);
    case "resume":
      if (kind === "job") await applyResume(trx, { job: name, by: signer(by) });
      return;
    default:
      return;
  }
}

function refuseSuperseded(home: Home, subject: Subject, version: number, newer: number | undefined): void {
  if (newer === undefined) return;
  throw new UserError(
    "stale_review",
    `v${newer} of ${subjectNoun(subject)} was proposed since, so v${version} cannot be approved any more.`,
    { next: personCommand(home, "review", subjectWord(subject)) },
  );
}

/** Rows that are no links move to the audit trail, whole: they would stand in the way of the row that really comes next. */
async function setForgeriesAside(trx: Transaction<Tables>, chain: Chain): Promise<void> {
  const linked = new Set(chain.links.map(({ seq }) => seq));
  for (const { seq } of chain.refusals.filter((refusal) => !linked.has(refusal.seq))) {
    const row = await trx.deleteFrom("decisions").where("seq", "=", seq).returningAll().executeTakeFirst();
    if (row === undefined) continue;
    await recordEvent(trx, {
      kind: "approval.set_aside",
      actor: "daemon",
      subject: row.kind === "job" ? row.name : `${row.kind}:${row.name}`,
      detail: { seq, text: row.text, signature: row.signature },
      traceId: null,
    });
  }
}
