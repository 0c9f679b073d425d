import { AsyncResource } from "node:async_hooks";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import type { Manifest } from "../jobs/manifest.ts";
import type { Log } from "../log.ts";
import { personCommand } from "../person-command.ts";
import type { Store } from "../store/open-store.ts";
import type { Decision } from "./canonical-text.ts";
import { type Chain, type ChainKey, findActive, findApproval, type Link, type Refusal, trustedKeys } from "./chain.ts";
import { type ChainHead, readChainHead } from "./chain-head.ts";
import { followChain } from "./follow-chain.ts";
import { reportRefusal } from "./report-refusal.ts";
import { isSignedKind, type Subject, subjectNoun, subjectTitle, subjectWord } from "./subject.ts";
import { createVersionVerifier } from "./verify-version.ts";

/** What a worker may run, verified a moment ago. */
export type Runnable = Readonly<{
  version: number;
  manifest: Manifest;
  bundle: string;
  bundleHash: string;
  sourceMap: string | null;
}>;

/** The active version of a job and the signature that made it so. */
export type ActiveVersion = Readonly<{ version: number; decidedAt: string; keyId: string }>;

export type ApprovalsStatus = Readonly<{
  /** Keys that count on this machine. */
  keys: number;
  /** Whether this machine trusts any key, revoked ones included. */
  setUp: boolean;
  /** Whether a passphrase protects every key that counts. */
  protected: boolean;
  /** Why nothing runs, or null. */
  problem: string | null;
  head: ChainHead;
  /** The head that this machine remembers and the store no longer leads to; null where nothing is lost. */
  lostHead: ChainHead | null;
  keyList: readonly ChainKey[];
  /** Rows that no trusted key signed or that do not fit the chain. */
  refused: readonly Refusal[];
}>;

/** What this machine's keys make of the chain. */
export type Standing = Readonly<{
  /** Whether this machine trusts any key, revoked ones included. */
  setUp: boolean;
  /** Why nothing runs here, or null. */
  problem: string | null;
  /** Jobs without an approval that counts here, which a key that this machine does not trust has approved. */
  strangers: ReadonlySet<string>;
}>;

/** Reads and verifies decisions; nothing here writes one. Every call asks the store for what is new: one query by primary key. */
export type Approvals = Readonly<{
  /** Throws `chain_broken`. Undefined where nothing is approved. */
  active(job: string): Promise<ActiveVersion | undefined>;
  /**
   * The active version, or the given one for a run that has begun with it. Throws `not_approved`, `approval_invalid`, `chain_broken`,
   * `key_unsafe`, `version_newer`. What does not verify is reported as event and alert.
   */
  requireRunnable(job: string, version?: number): Promise<Runnable>;
  /**
   * The signed manifest of the active version, for what is asked before a run: the run's start verifies every byte. Throws as
   * `requireRunnable` does.
   */
  requireManifest(job: string): Promise<Manifest>;
  /** Whether a version that runs may go on. Throws as `requireRunnable` does. */
  recheck(job: string, version: number): Promise<void>;
  status(): Promise<ApprovalsStatus>;
  standing(): Promise<Standing>;
  /** Every link of the chain in order, or those of one job. */
  decisions(job?: string): Promise<readonly Link[]>;
  /** The active approval of every job, also where a broken chain keeps them from running. */
  live(): Promise<readonly Link[]>;
  /** The same of everything that is signed: jobs, roles, skills, MCP servers and commands. */
  liveSubjects(): Promise<readonly Link[]>;
  /**
   * The decision by which the active version of a subject counts, or the given one, and what `verify` makes of what is stored of it.
   * Throws as `requireRunnable` does.
   */
  requireSigned<T extends object>(subject: Subject, verify: Verify<T>, version?: number): Promise<Signed<T>>;
  /** The version of a subject that is active, or undefined. Throws `chain_broken`. */
  activeOf(subject: Subject): Promise<ActiveVersion | undefined>;
  /** Called with each job that a new decision touches, from any machine. Returns what stops it. */
  onChange(callback: (job: string) => void): () => void;
  /** The same with every subject, jobs included. */
  onDecision(callback: (subject: Subject) => void): () => void;
}>;

/** Compares what is stored of a version with the decision that signed it, byte for byte. */
export type Verify<T> = (
  signed: Decision,
) => Promise<Readonly<{ ok: true; version: T } | { ok: false; reason: string; unreadable: boolean }>>;

export type Signed<T> = T & Readonly<{ version: number; bundleHash: string }>;

/** Approvals with the subscription that tells of other machines' decisions; whoever made them disposes them. */
export type OwnedApprovals = Approvals & AsyncDisposable;

/** Verifies the whole chain once, against this machine's trusted keys and remembered head; later calls go on from there. */
export async function createApprovals({
  store,
  home,
  log,
  verifiesOnly = false,
}: {
  store: Store;
  home: Home;
  log: Log;
  /** A machine where nobody signs: that it does not trust a key is its own matter, which the daemons need not hear of. */
  verifiesOnly?: boolean;
}): Promise<OwnedApprovals> {
  const callbacks = new Set<(subject: Subject) => void>();
  const { db } = store;
  const verifier = createVersionVerifier(db);
  const follower = followChain({
    db,
    home,
    onRefusal: async (refusal) => {
      if (verifiesOnly && refusal.code === "key_untrusted") log.warn(refusal, "a decision does not count here");
      else await reportRefusal(db, log, refusal);
    },
    onTouched: (touched) => {
      for (const subject of subjectsOf(touched)) for (const callback of callbacks) callback(subject);
    },
  });

  const requireLink = async (subject: Subject, version?: number): Promise<Link> => {
    const { kind, name } = subject;
    const find = (now: Chain) =>
      version === undefined ? findActive(now, kind, name) : findApproval(now, kind, name, version);
    const { chain } = await follower.requireWhole((now) => find(now)?.seq);
    const link = find(chain);
    if (link !== undefined) return link;
    const forged = chain.refusals.findLast((refusal) => refusal.kind === kind && refusal.name === name);
    const what = version === undefined ? subjectTitle(subject) : `Version v${version} of ${subjectNoun(subject)}`;
    if (forged !== undefined) {
      const why = `decision ${forged.seq} does not count, ${forged.reason}`;
      throw new UserError("approval_invalid", `${what} ${refusedWords(kind)}: ${why}.`, {
        next: personCommand(home, "review", subjectWord(subject)),
      });
    }
    throw new UserError("not_approved", `${what} has no valid approval.`, {
      next: personCommand(home, "approve", subjectWord(subject)),
    });
  };

  const requireSigned = async <T extends object>(
    subject: Subject,
    verify: Verify<T>,
    wanted?: number,
  ): Promise<Signed<T>> => requireVerified(subject, await requireLink(subject, wanted), verify);

  const requireVerified = async <T extends object>(
    subject: Subject,
    { decision, seq }: Link,
    verify: Verify<T>,
  ): Promise<Signed<T>> => {
    const verified = await verify(decision);
    const { kind, name, version, bundle } = decision;
    const what = `${subjectTitle(subject)} v${version} ${refusedWords(subject.kind)}`;
    if (!verified.ok && verified.unreadable) {
      throw new UserError("version_newer", `${what} here: ${verified.reason}.`, {
        next: "install the release that the other machines have",
      });
    }
    if (!verified.ok || version === null || bundle === null) {
      const reason = verified.ok ? "it names no version" : verified.reason;
      await reportRefusal(db, log, { seq, code: "approval_invalid", reason, kind, name, decision: "start" });
      throw new UserError("approval_invalid", `${what}: ${reason}.`, {
        next: personCommand(home, "review", subjectWord(subject)),
      });
    }
    return { ...verified.version, version, bundleHash: bundle };
  };

  const activeOf = async ({ kind, name }: Subject): Promise<ActiveVersion | undefined> => {
    const { chain } = await follower.requireWhole((now) => findActive(now, kind, name)?.seq);
    const link = findActive(chain, kind, name);
    if (link === undefined || link.decision.version === null) return undefined;
    return { version: link.decision.version, decidedAt: link.decision.time, keyId: link.keyId };
  };

  const liveSubjects = async (): Promise<readonly Link[]> => {
    const { chain } = await follower.sync();
    return subjectsOf(chain.subjects.keys()).flatMap(({ kind, name }) => findActive(chain, kind, name) ?? []);
  };

  const follow = (callback: (subject: Subject) => void) => {
    callbacks.add(callback);
    return () => callbacks.delete(callback);
  };

  // The first look is made now, so that a broken chain is known (and told) before anything asks.
  await follower.sync();
  // Bound to this place, since a notification may arrive inside the very transaction that sent it, where only its handle works.
  const onNotify = AsyncResource.bind(() => {
    follower.sync().catch((error: unknown) => log.error({ err: error }, "decisions could not be read"));
  });
  const stopListening = await store.listen("decisions", onNotify);

  return {
    active: (job) => activeOf({ kind: "job", name: job }),
    activeOf,
    requireSigned,
    requireRunnable: (job, version) => requireSigned({ kind: "job", name: job }, verifier.verify, version),
    async requireManifest(job) {
      const subject = { kind: "job", name: job } as const;
      const link = await requireLink(subject);
      return verifier.keptManifest(link.decision) ?? (await requireVerified(subject, link, verifier.verify)).manifest;
    },
    async recheck(job, version) {
      await requireLink({ kind: "job", name: job }, version);
    },
    async status() {
      const { chain, problem } = await follower.verifyAll();
      const keys = trustedKeys(chain);
      return {
        keys: keys.length,
        setUp: chain.keys.size > 0,
        protected: keys.every((key) => key.protected),
        problem: problem?.message ?? null,
        head: chain.head,
        lostHead: problem?.code === "chain_broken" ? (readChainHead(home) ?? null) : null,
        keyList: [...chain.keys.values()],
        refused: [...chain.refusals],
      };
    },
    async standing() {
      const { chain, problem } = await follower.sync();
      const strangers = chain.refusals.flatMap(({ code, kind, name, decision }) =>
        code === "key_untrusted" && kind === "job" && (decision === "approve" || decision === "activate") ? name : [],
      );
      return {
        setUp: chain.keys.size > 0,
        problem: problem?.message ?? null,
        strangers: new Set(strangers.filter((job) => findActive(chain, "job", job) === undefined)),
      };
    },
    async decisions(job) {
      const { chain } = await follower.sync();
      return chain.links.filter(
        ({ decision }) => job === undefined || (decision.kind === "job" && decision.name === job),
      );
    },
    live: async () => (await liveSubjects()).filter(({ decision }) => decision.kind === "job"),
    liveSubjects,
    onChange: (callback) =>
      follow(({ kind, name }) => {
        if (kind === "job") callback(name);
      }),
    onDecision: follow,
    async [Symbol.asyncDispose]() {
      await stopListening();
      await follower.idle();
    },
  };
}

/** Of `kind:name`, those whose versions are signed. */
function subjectsOf(ids: Iterable<string>): Subject[] {
  return [...ids].flatMap((id) => {
    const colon = id.indexOf(":");
    const kind = id.slice(0, colon);
    return isSignedKind(kind) ? [{ kind, name: id.slice(colon + 1) }] : [];
  });
}

function refusedWords(kind: Subject["kind"]): string {
  return kind === "job" ? "does not run" : "is not used";
}
