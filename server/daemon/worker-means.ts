import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import { UserError } from "../errors.ts";
import { createModelList } from "../llm/model-list.ts";
import type { Means } from "../runs/workers/needs.ts";

type Deps = Readonly<{
  config: Pick<Config, "notify" | "ollama">;
  labels: readonly string[];
  secrets: () => SecretValues;
}>;

/** Makes the look at what this machine has to offer; each call looks anew, and reads secrets once. */
export function workerMeans({ config, labels, secrets }: Deps): () => Means {
  const { targets } = config.notify;
  const hasModel = createModelList({ url: config.ollama.url, clock: () => performance.now() });
  const own = new Set(labels);
  return () => {
    let names: ReadonlySet<string> | undefined;
    return {
      labels: own,
      hasSecret(name) {
        names ??= namesOf(secrets);
        return names.has(name);
      },
      // Whatever else config.yaml says, it has a default.
      hasTarget: (name) => name === "default" || Object.hasOwn(targets, name),
      hasModel,
      hasPath,
      hasProgram,
    };
  };
}

/** A file of secrets with a mistake holds none: the run that wants one is left to others, or tells of the mistake. */
function namesOf(secrets: () => SecretValues): ReadonlySet<string> {
  try {
    return new Set(secrets().names());
  } catch (thrown) {
    if (thrown instanceof UserError) return new Set();
    throw thrown;
  }
}

/** What is to be read is there; of what is to be written, which may be a new file, at least its folder. */
async function hasPath(path: string, wanted: "read" | "write"): Promise<boolean> {
  return (await exists(path)) || (wanted === "write" && (await exists(dirname(path))));
}

async function hasProgram(path: string): Promise<boolean> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined || !file.isFile()) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
