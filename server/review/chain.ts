import type { ErrorCode } from "../errors.ts";
import { messageOf } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import type { Row } from "../store/tables.ts";
import { type Decision, genesis, parseDecisionText } from "./canonical-text.ts";
import type { ChainHead } from "./chain-head.ts";
import { createOpenKeys, type OpenKeys, type PublicKey, parseTrustSubject } from "./public-key.ts";

/** A decision that is part of the chain. It counts only where a key that was trusted at that point signed it. */
export type Link = Readonly<{
  seq: number;
  hash: string;
  keyId: string;
  decision: Decision;
  counts: boolean;
  reason: string | null;
}>;

/** A row that is no link, or a link that does not count: somebody wrote what no trusted key signed. */
export type Refusal = Readonly<{
  seq: number;
  code: ErrorCode;
  reason: string;
  kind: string;
  name: string;
  decision: string;
}>;

/** A key that is or was trusted. `trustedBy` is null for the root keys of this machine. */
export type ChainKey = PublicKey & Readonly<{ trustedBy: string | null; revoked: boolean }>;

/** The approvals of one job (or role, skill …): by version, who signed it, latest last. */
type Approved = { versions: Map<number, Map<string, Link>>; active: number | undefined };

/** What the chain says up to its head, as this machine judges it. Grown by `appendRow` alone. */
export type Chain = {
  head: ChainHead;
  readonly links: Link[];
  readonly hashes: Set<string>;
  readonly refusals: Refusal[];
  readonly keys: Map<string, ChainKey>;
  readonly subjects: Map<string, Approved>;
  /** Lost heads that a person accepted. */
  readonly acceptedHeads: Set<string>;
  readonly openKeys: OpenKeys;
};

/** What became of a row, and which subjects (`kind:name`) it touched. */
export type Verdict = Readonly<{ link: Link | undefined; refusal: Refusal | undefined; touched: readonly string[] }>;

/** An empty chain under the root keys of this machine. */
export function startChain(roots: readonly PublicKey[]): Chain {
  return {
    head: { seq: 0, hash: genesis },
    links: [],
    hashes: new Set(),
    refusals: [],
    keys: new Map(roots.map((key) => [key.id, { ...key, trustedBy: null, revoked: false }])),
    subjects: new Map(),
    acceptedHeads: new Set(),
    openKeys: createOpenKeys(),
  };
}

/** The hash of a signed decision, which the next one names as its previous. */
export function decisionHash(text: string, signature: string): string {
  return sha256(`${text}\n${signature}`);
}

/** Judges the next row: a row that does not follow the head validly stays beside the chain and changes nothing. */
export function appendRow(chain: Chain, row: Row<"decisions">): Verdict {
  const { kind, name, decision: verb, seq } = row;
  const refuse = (code: ErrorCode, reason: string): Refusal => {
    const refusal = { seq, code, reason, kind, name, decision: verb };
    chain.refusals.push(refusal);
    return refusal;
  };
  const beside = (reason: string) => ({ link: undefined, refusal: refuse("approval_invalid", reason), touched: [] });

  let decision: Decision;
  try {
    decision = parseDecisionText(row.text);
  } catch (error) {
    return beside(messageOf(error));
  }
  const hash = decisionHash(row.text, row.signature);
  if (!chain.openKeys.verify(decision.key, row.text, row.signature)) return beside("its signature does not verify");
  if (chain.hashes.has(hash)) return beside("it is a copy of an earlier decision");
  if (decision.previous !== chain.head.hash)
    return beside("it does not follow the decision before it (replayed or moved)");
  const signer = chain.openKeys.idOf(decision.key);
  if (!columnsAgree(row, decision, hash, signer)) return beside("its columns differ from its signed text");

  const untrusted = whyUntrusted(chain, signer, decision);
  const link = { seq, hash, keyId: signer, decision, counts: untrusted === undefined, reason: untrusted ?? null };
  chain.links.push(link);
  chain.hashes.add(hash);
  chain.head = { seq, hash };
  if (untrusted !== undefined) return { link, refusal: refuse("key_untrusted", untrusted), touched: [] };
  return { link, refusal: undefined, touched: apply(chain, link) };
}

/** The link by which a version may run; undefined where none counts. */
export function findApproval(chain: Chain, kind: string, name: string, version: number): Link | undefined {
  const links = chain.subjects.get(`${kind}:${name}`)?.versions.get(version);
  return links === undefined ? undefined : [...links.values()].at(-1);
}

/** The active version's approval; undefined where nothing is active. */
export function findActive(chain: Chain, kind: string, name: string): Link | undefined {
  const active = chain.subjects.get(`${kind}:${name}`)?.active;
  return active === undefined ? undefined : findApproval(chain, kind, name, active);
}

/** Keys that count now. */
export function trustedKeys(chain: Chain): ChainKey[] {
  return [...chain.keys.values()].filter((key) => !key.revoked);
}

function columnsAgree(row: Row<"decisions">, d: Decision, hash: string, signer: string): boolean {
  return (
    row.kind === d.kind &&
    row.name === d.name &&
    row.version === d.version &&
    row.decision === d.decision &&
    row.key_id === signer &&
    row.hash === hash &&
    row.previous === d.previous
  );
}

function whyUntrusted(chain: Chain, signer: string, decision: Decision): string | undefined {
  const key = chain.keys.get(signer);
  if (key === undefined || key.raw !== decision.key) return `no trusted key signed key ${signer}`;
  if (key.revoked) return `key ${signer} was revoked`;
  if (decision.decision === "trust" && parseTrustSubject(decision.subject)?.id !== decision.name)
    return "its key and its name differ";
  return undefined;
}

function apply(chain: Chain, link: Link): string[] {
  const { decision: d } = link;
  switch (d.decision) {
    case "approve":
    case "activate": {
      if (d.version === null) return [];
      const subject = subjectOf(chain, d);
      const signers = subject.versions.get(d.version) ?? new Map<string, Link>();
      // Deleted first so that the latest signature comes last.
      signers.delete(link.keyId);
      subject.versions.set(d.version, signers.set(link.keyId, link));
      subject.active = d.version;
      return [`${d.kind}:${d.name}`];
    }
    case "revoke": {
      const subject = subjectOf(chain, d);
      if (d.version === null) subject.versions.clear();
      else subject.versions.delete(d.version);
      // Never back to an older version by itself: old code can be vulnerable code.
      if (d.version === null || subject.active === d.version) subject.active = undefined;
      return [`${d.kind}:${d.name}`];
    }
    case "resume":
      return [`${d.kind}:${d.name}`];
    case "trust": {
      const key = parseTrustSubject(d.subject);
      const known = chain.keys.get(d.name);
      if (key !== undefined && (known === undefined || known.revoked)) {
        chain.keys.set(d.name, { ...key, label: d.note, trustedBy: link.keyId, revoked: false });
      }
      return [];
    }
    case "revoke_key":
      return revokeKey(chain, d.name, link.keyId);
    case "accept_chain": {
      const lost = d.subject?.split(" ")[1];
      if (lost !== undefined) chain.acceptedHeads.add(lost);
      return [];
    }
    default:
      return d.decision satisfies never;
  }
}

/**
 * Ends a key, everything that it signed, and the keys that it vouched for; but not the key that signs the revocation,
 * which takes over the revoked key's standing: that is how a rotation hands on.
 */
function revokeKey(chain: Chain, id: string, signer: string): string[] {
  const key = chain.keys.get(id);
  if (key === undefined || key.revoked) return [];
  chain.keys.set(id, { ...key, revoked: true });
  const touched: string[] = [];
  for (const [name, subject] of chain.subjects) {
    for (const [version, signers] of subject.versions) {
      if (signers.delete(id)) touched.push(name);
      if (signers.size === 0) subject.versions.delete(version);
    }
    if (subject.active !== undefined && !subject.versions.has(subject.active)) subject.active = undefined;
  }
  for (const child of [...chain.keys.values()].filter(({ trustedBy }) => trustedBy === id)) {
    if (child.id === signer) chain.keys.set(signer, { ...child, trustedBy: key.trustedBy });
    else touched.push(...revokeKey(chain, child.id, signer));
  }
  return touched;
}

function subjectOf(chain: Chain, d: Decision): Approved {
  const id = `${d.kind}:${d.name}`;
  const subject = chain.subjects.get(id) ?? { versions: new Map(), active: undefined };
  chain.subjects.set(id, subject);
  return subject;
}
