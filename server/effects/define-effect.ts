import type { z } from "zod";
import type { Manifest } from "../jobs/manifest.ts";
import type { Log } from "../log.ts";
import type { Db } from "../store/open-store.ts";
import type { SecretValues } from "./secret-values.ts";
import type { EffectServices } from "./services.ts";

/** What an effect may use. `db` is the transaction with the journal row for an effect that is `own`, else the store's handle. */
export type EffectContext = Readonly<{
  db: Db;
  job: string;
  runId: number;
  attempt: number;
  /** Order of issue within the attempt, from 1. */
  seq: number;
  /** When it was issued first; a resumed attempt sees the time of before the crash where an intent was recorded. */
  startedAt: Date;
  /** The signed manifest: what it does not grant is refused with `permission_denied`. */
  manifest: Manifest;
  /** 32 hex digits of the attempt; secrets' placeholders are derived from it. */
  seed: string;
  traceId: string;
  secrets: SecretValues;
  services: EffectServices;
  clock: () => Date;
  log: Log;
  /** Aborted when the attempt ends for whatever reason, or is suspended. */
  signal: AbortSignal;
  /** Shows the end of what it has put out so far to whoever reads the run meanwhile. */
  progress(tail: string): void;
}>;

/**
 * `own`: changes nothing but our own store, so it commits in one transaction with its journal row.
 * `waiting`: waits for time, a person or another run; a run that waits for nothing else leaves no process behind.
 * `outside`: everything else.
 */
export type EffectKind = "own" | "waiting" | "outside";

/** What a rehearsal knows; it answers effects from this alone, and touches nothing. */
export type RehearsalContext = Readonly<{
  job: string;
  manifest: Manifest;
  seed: string;
  seq: number;
  /** The run's own kv while it is rehearsed: key to value and revision. */
  kv: Map<string, { value: unknown; revision: number }>;
  /** The guest's clock, which a rehearsed wait moves on instead of waiting. */
  guestMs(): number;
  advance(ms: number): void;
}>;

/** One call that a job can make to the outside. */
export type Effect<A> = Readonly<{
  op: string;
  kind: EffectKind;
  args: z.ZodType<A>;
  /** Whether this call may be repeated after a crash. An unsafe one has a durable intent before it starts. */
  safe(args: A, manifest: Manifest): boolean;
  /** Throws `permission_denied` where the manifest does not grant this call; asked before anything else, in rehearsals too. */
  allow?(manifest: Manifest, args: A): void;
  /**
   * Answers a rehearsal where neither a mock nor a record does. Left out, the answer is unknown, and the rehearsal goes on
   * without it as far as it can.
   */
  rehearse?(rehearsal: RehearsalContext, args: A): unknown;
  /** Of a `waiting` effect: written in one transaction with its intent, when it is issued first. */
  begin?(context: EffectContext, args: A): Promise<void>;
  /** Of a `waiting` effect: when a suspended run must look again at the latest; null where an event is sure to wake it. */
  wakeAt?(startedAt: Date, args: A, now: Date): Date | null;
  /** The result is what the job gets, as JSON. What it throws, the job can catch. */
  perform(context: EffectContext, args: A): Promise<unknown>;
}>;

/** An effect whose arguments are parsed before it is asked anything, so that a table can hold effects of all kinds. */
export type AnyEffect = Readonly<{
  op: string;
  kind: EffectKind;
  /** Throws a ZodError where the arguments do not fit, and `permission_denied`. */
  prepare(args: unknown, manifest: Manifest): PreparedEffect;
}>;

export type PreparedEffect = Readonly<{
  safe: boolean;
  /** Undefined where the answer cannot be known without performing it. */
  rehearse: ((rehearsal: RehearsalContext) => unknown) | undefined;
  begin(context: EffectContext): Promise<void>;
  wakeAt(startedAt: Date, now: Date): Date | null;
  perform(context: EffectContext): Promise<unknown>;
}>;

export function defineEffect<A>(effect: Effect<A>): AnyEffect {
  const { op, kind, rehearse } = effect;
  return {
    op,
    kind,
    prepare(given, manifest) {
      const args = effect.args.parse(given);
      effect.allow?.(manifest, args);
      return {
        safe: effect.safe(args, manifest),
        rehearse: rehearse === undefined ? undefined : (rehearsal) => rehearse(rehearsal, args),
        begin: async (context) => effect.begin?.(context, args),
        wakeAt: (startedAt, now) => effect.wakeAt?.(startedAt, args, now) ?? null,
        perform: (context) => effect.perform(context, args),
      };
    },
  };
}
