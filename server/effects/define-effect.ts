import type { z } from "zod";
import type { Manifest } from "../jobs/manifest.ts";
import type { Log } from "../log.ts";
import type { Db } from "../store/open-store.ts";
import type { SecretValues } from "./secret-values.ts";

/** What an effect may use. `db` is the transaction with the journal row for an effect that is `own`, else the store's handle. */
export type EffectContext = Readonly<{
  db: Db;
  job: string;
  runId: number;
  attempt: number;
  /** Order of issue within the attempt, from 1. */
  seq: number;
  /** The signed manifest: what it does not grant is refused with `permission_denied`. */
  manifest: Manifest;
  /** 32 hex digits of the attempt; secrets' placeholders are derived from it. */
  seed: string;
  secrets: SecretValues;
  clock: () => Date;
  log: Log;
  /** Aborted when the attempt ends for whatever reason. */
  signal: AbortSignal;
}>;

/** One call that a job can make to the outside. */
export type Effect<A> = Readonly<{
  op: string;
  args: z.ZodType<A>;
  /** Whether this call may be repeated after a crash. An unsafe one has a durable intent before it starts. */
  safe(args: A): boolean;
  /** It changes nothing but our own store, so it commits in one transaction with its journal row. */
  own: boolean;
  /** The result is what the job gets, as JSON. What it throws, the job can catch. */
  perform(context: EffectContext, args: A): Promise<unknown>;
}>;

/** An effect whose arguments are parsed before it is asked anything, so that a table can hold effects of all kinds. */
export type AnyEffect = Readonly<{
  op: string;
  own: boolean;
  /** Throws a ZodError where the arguments do not fit. */
  prepare(args: unknown): { safe: boolean; perform(context: EffectContext): Promise<unknown> };
}>;

export function defineEffect<A>(effect: Effect<A>): AnyEffect {
  return {
    op: effect.op,
    own: effect.own,
    prepare(given) {
      const args = effect.args.parse(given);
      return { safe: effect.safe(args), perform: (context) => effect.perform(context, args) };
    },
  };
}
