import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { appendRow, type Chain, type Refusal, startChain } from "./chain.ts";
import { readChainHead, writeChainHead } from "./chain-head.ts";
import type { PublicKey } from "./public-key.ts";
import { readTrustedKeys, trustedKeysStamp } from "./trusted-keys.ts";

/** The chain as it stands, and why nothing may run by it. */
export type ChainState = Readonly<{ chain: Chain; problem: UserError | undefined }>;

type Deps = Readonly<{
  db: Db;
  home: Home;
  onRefusal: (refusal: Refusal) => Promise<void>;
  /** Subjects as `kind:name`. */
  onTouched: (subjects: ReadonlySet<string>) => void;
}>;

type Verified = {
  chain: Chain;
  keysStamp: string;
  prints: Map<number, string>;
  /** Which transaction wrote each row. */
  writers: Map<number, string>;
  /** The digest of `writers`, once somebody asked. */
  written: string | null | undefined;
  problem: UserError | undefined;
};

/** Of a chain, the row that a caller relies on. */
type Anchor = (chain: Chain) => number | undefined;

/**
 * Keeps a verified copy of the chain. Each look reads the rows from the known head on (and the rows that its callers rely on)
 * and judges what is new; where a known row differs or is gone, all of it is verified again from the first row.
 */
export function followChain({ db, home, onRefusal, onTouched }: Deps) {
  let known: Verified | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  const told = new Set<string>();

  /** The look that has not begun yet, for whoever asks meanwhile. */
  let coming: { anchors: Anchor[]; state: Promise<ChainState> } | undefined;

  // One look at a time: each begins after it was asked for, so what was committed before the call is always seen.
  const next = <T>(look: () => Promise<T>): Promise<T> => {
    const result = tail.then(look);
    tail = result.catch(() => undefined);
    return result;
  };

  const look = async (anchors: readonly Anchor[], whole: boolean): Promise<ChainState> => {
    const keysStamp = trustedKeysStamp(home);
    // A problem may have been mended outside the store, so it is looked for anew each time; nothing runs meanwhile.
    if (known === undefined || known.problem !== undefined || known.keysStamp !== keysStamp) return start(keysStamp);
    const { chain, prints } = known;
    if (whole && !(await isUnchanged(known))) return start(keysStamp);
    const from = chain.head.seq;
    const anchored = new Set(anchors.map((anchor) => anchor(chain) ?? from));
    const rows = await rowsFrom(db, from, [...anchored]);
    const needed = [from, ...anchored].filter((seq) => seq > 0);
    const seen = new Map(rows.map((row) => [row.seq, fingerprint(row)]));
    if (needed.some((seq) => seen.get(seq) !== prints.get(seq))) return start(keysStamp);
    return grow(
      known,
      rows.filter((row) => row.seq > from && seen.get(row.seq) !== prints.get(row.seq)),
    );
  };

  const start = async (keysStamp: string): Promise<ChainState> => {
    const { roots, problem } = readRoots(home);
    const rows = await rowsFrom(db, 0);
    return grow(
      { chain: startChain(roots), keysStamp, prints: new Map(), writers: new Map(), written: undefined, problem },
      rows,
      known,
    );
  };

  /** Rows that are byte for byte those that were verified need no verifying again, and rows that nobody has written since are. */
  const isUnchanged = async (state: Verified): Promise<boolean> => {
    const last = lastSeq(state.prints);
    if (state.written === undefined) state.written = digestOf(state.writers);
    if ((await writersUpTo(db, last)) === state.written) return true;
    return (await digestUpTo(db, last)) === digestOf(state.prints);
  };

  const grow = async (state: Verified, rows: readonly WrittenRow[], before?: Verified): Promise<ChainState> => {
    const touched = new Set<string>();
    const refusals: Refusal[] = [];
    for (const [at, row] of rows.entries()) {
      // Thousands of signatures take a second, in which everything else would wait.
      if (at % 100 === 99) await setImmediate();
      state.prints.set(row.seq, fingerprint(row));
      state.written = undefined;
      state.writers.set(row.seq, `${row.seq}:${row.writer}`);
      const verdict = appendRow(state.chain, row);
      for (const subject of verdict.touched) touched.add(subject);
      if (verdict.refusal !== undefined) refusals.push(verdict.refusal);
    }
    if (rows.length > 0 || state !== known) state.problem ??= remember(home, state.chain);
    known = state;
    for (const refusal of refusals) await tell(refusal, state);
    if (state.problem !== undefined) await tell(asRefusal(state, state.problem), state);
    const changed = before === undefined ? touched : subjectsThatDiffer(before, state);
    if (changed.size > 0) onTouched(changed);
    return state;
  };

  const tell = async (refusal: Refusal, state: Verified) => {
    const id = `${refusal.seq} ${state.prints.get(refusal.seq)} ${refusal.reason}`;
    if (told.has(id)) return;
    told.add(id);
    await onRefusal(refusal);
  };

  const sync = (...anchors: Anchor[]): Promise<ChainState> => {
    if (coming === undefined) {
      const wanted: Anchor[] = [];
      const state = next(() => {
        coming = undefined;
        return look(wanted, false);
      });
      coming = { anchors: wanted, state };
    }
    coming.anchors.push(...anchors);
    return coming.state;
  };
  return {
    sync: (): Promise<ChainState> => sync(),
    /** As `sync`, and the row that `anchor` names is compared too. Throws `chain_broken` and what reading the keys throws. */
    async requireWhole(anchor: Anchor): Promise<ChainState> {
      const state = await sync(anchor);
      if (state.problem !== undefined) throw state.problem;
      return state;
    },
    /** Compares every row with the one that was verified; where one differs, all of it is verified from the first row. */
    verifyAll: (): Promise<ChainState> => next(() => look([], true)),
    /** Resolves once nothing is being read. */
    async idle(): Promise<void> {
      await tail;
    },
  };
}

/** A row and the transaction that wrote it, which is another one after any change. */
export type WrittenRow = Row<"decisions"> & Readonly<{ writer: string }>;

/** The rows of the chain from one on, in order, and some earlier rows. Pass 0 for all of them. */
export function rowsFrom(db: Db, from: number, anchors: readonly number[] = []): Promise<WrittenRow[]> {
  return db
    .selectFrom("decisions")
    .selectAll()
    .select(sql<string>`xmin::text`.as("writer"))
    .where((eb) => eb.or([eb("seq", ">=", from), eb("seq", "=", sql<number>`any(${anchors}::bigint[])`)]))
    .orderBy("seq")
    .execute();
}

/** Why nothing may run by this chain, seen from the head that this machine remembers. Throws what reading that throws. */
export function brokenChain(home: Home, chain: Chain): UserError | undefined {
  const remembered = readChainHead(home);
  if (remembered === undefined || remembered.seq === 0) return undefined;
  if (chain.hashes.has(remembered.hash) || chain.acceptedHeads.has(remembered.hash)) return undefined;
  return new UserError(
    "chain_broken",
    `The chain of decisions was cut or rewritten: this machine has seen decision ${remembered.seq}, the store ends its valid chain at ${chain.head.seq}. Nothing runs.`,
    { next: `restore the database, or accept what is left: ${personCommand(home, "keys", "accept-chain")}` },
  );
}

function remember(home: Home, chain: Chain): UserError | undefined {
  try {
    const problem = brokenChain(home, chain);
    if (problem === undefined && chain.head.seq > 0 && readChainHead(home)?.hash !== chain.head.hash)
      writeChainHead(home, chain.head);
    return problem;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** An unsafe or unreadable file of trusted keys stops every job, but not the daemon. */
function readRoots(home: Home): { roots: readonly PublicKey[]; problem: UserError | undefined } {
  try {
    return { roots: readTrustedKeys(home), problem: undefined };
  } catch (error) {
    if (error instanceof UserError) return { roots: [], problem: error };
    throw error;
  }
}

/** Subjects of which another version counts now, or all of them where a problem came or went. */
function subjectsThatDiffer(before: Verified, after: Verified): Set<string> {
  const all = new Set([...before.chain.subjects.keys(), ...after.chain.subjects.keys()]);
  const turned = (before.problem === undefined) !== (after.problem === undefined);
  return new Set(
    [...all].filter((subject) => turned || approvalsOf(before.chain, subject) !== approvalsOf(after.chain, subject)),
  );
}

function approvalsOf(chain: Chain, subject: string): string {
  const approvals = chain.subjects.get(subject);
  if (approvals === undefined || approvals.versions.size === 0) return "none";
  const versions = [...approvals.versions].map(([version, links]) => [
    version,
    [...links.values()].map(({ hash }) => hash),
  ]);
  return JSON.stringify([approvals.active ?? null, versions]);
}

function asRefusal({ chain }: Verified, { code, message }: UserError): Refusal {
  return { seq: chain.head.seq, code, reason: message, kind: "chain", name: "decisions", decision: "verify" };
}

/** Between fields of a fingerprint. No signed text has it, so that what differs in any field differs in the whole. */
const unit = "\u001f";

function fingerprint({
  seq,
  kind,
  name,
  version,
  decision,
  text,
  signature,
  key_id,
  hash,
  previous,
}: Row<"decisions">): string {
  const fields = [seq, kind, name, version ?? "", decision, text, signature, key_id, hash, previous];
  return sha256(fields.join(unit)).slice("sha256:".length);
}

/** What `digestOf` would be of the rows that are there now, made where they are: thousands of them need not come over. */
async function digestUpTo(db: Db, seq: number): Promise<string | null> {
  const field = sql.lit(unit);
  const { rows } = await sql<{ digest: string | null }>`
    select encode(sha256(convert_to(string_agg(print, '' order by seq), 'UTF8')), 'hex') as digest
    from (select seq, encode(sha256(convert_to(concat_ws(${field}, seq, kind, name, coalesce(version::text, ''), decision, text,
      signature, key_id, hash, previous), 'UTF8')), 'hex') as print from decisions where seq <= ${seq}) as each`.execute(
    db,
  );
  return rows[0]?.digest ?? null;
}

/** What `digestOf` would be of those who wrote the rows that are there now: a tenth of the work of `digestUpTo`. */
async function writersUpTo(db: Db, seq: number): Promise<string | null> {
  const { rows } = await sql<{ digest: string | null }>`
    select encode(sha256(string_agg(seq || ':' || xmin::text, '' order by seq)::bytea), 'hex') as digest
    from decisions where seq <= ${seq}`.execute(db);
  return rows[0]?.digest ?? null;
}

function digestOf(prints: ReadonlyMap<number, string>): string | null {
  if (prints.size === 0) return null;
  const inOrder = [...prints].sort(([a], [b]) => a - b).map(([, print]) => print);
  return sha256(inOrder.join("")).slice("sha256:".length);
}

function lastSeq(prints: ReadonlyMap<number, string>): number {
  let last = 0;
  for (const seq of prints.keys()) last = Math.max(last, seq);
  return last;
}
