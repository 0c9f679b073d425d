import { canonicalJson } from "../canonical-json.ts";
import { sha256 } from "../sha256.ts";
import { snapshotText } from "./definition-snapshot.ts";
import { findDefinitions } from "./find-definitions.ts";

/** Source and manifest hash of what comes with this very program, by `kind:name`. */
export async function shippedHashes(): Promise<ReadonlyMap<string, Readonly<{ source: string; manifest: string }>>> {
  const nowhere = { root: "", roles: "", skills: "", mcpServers: "", commands: "" };
  const { found } = await findDefinitions({ home: nowhere, skillPaths: [], env: {} });
  return new Map(
    found.map(({ kind, name, files, manifest }) => [
      `${kind}:${name}`,
      { source: sha256(snapshotText(files)), manifest: sha256(canonicalJson(manifest)) },
    ]),
  );
}
