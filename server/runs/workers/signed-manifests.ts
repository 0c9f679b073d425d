import { sql } from "kysely";
import { type Manifest, manifestSchema } from "../../jobs/manifest.ts";
import type { Decision } from "../../review/canonical-text.ts";
import { sha256 } from "../../sha256.ts";
import type { Db } from "../../store/open-store.ts";

const batch = 500;

/** An active approval, as `Approvals.live` gives them. */
export type ActiveApproval = Readonly<{ decision: Pick<Decision, "name" | "version" | "manifest"> }>;

/** By job: its manifest, or that a newer release wrote it in words that this one does not know. */
export type SignedManifests = ReadonlyMap<string, Manifest | "newer">;

/**
 * Makes the reader of the manifests of active approvals: only what is new is asked of the store. A text that is not the one that
 * was signed is left out: its run is refused when it starts.
 */
export function createSignedManifests(db: Db): (active: readonly ActiveApproval[]) => Promise<SignedManifests> {
  let kept = new Map<string, Manifest | "newer" | undefined>();

  return async (active) => {
    const wanted = active.flatMap(({ decision: { name, version, manifest: hash } }) =>
      version === null || hash === null ? [] : [{ name, version, hash }],
    );
    const unknown = wanted.filter(({ hash }) => !kept.has(hash));
    const read = new Map<string, Manifest | "newer">();
    for (let at = 0; at < unknown.length; at += batch) {
      const some = unknown.slice(at, at + batch);
      const { rows } = await sql<{ manifest: string }>`
        select versions.manifest from unnest(${some.map(({ name }) => name)}::text[],
          ${some.map(({ version }) => version)}::integer[]) as wanted (job, number)
        join versions using (job, number)`.execute(db);
      // Read a batch at a time: ten thousand at once would hold up everything else.
      for (const { manifest } of rows) read.set(sha256(manifest), parseManifest(manifest));
    }
    kept = new Map(wanted.map(({ hash }) => [hash, kept.get(hash) ?? read.get(hash)]));
    return new Map(
      wanted.flatMap(({ name, hash }) => {
        const manifest = kept.get(hash);
        return manifest === undefined ? [] : [[name, manifest] as const];
      }),
    );
  };
}

function parseManifest(text: string): Manifest | "newer" {
  return manifestSchema.safeParse(JSON.parse(text)).data ?? "newer";
}
