import { optionsOf, requireText } from "./arguments.ts";
import { encodeBase64, toBytes } from "./bytes.ts";
import { effect } from "./effect.ts";

type Artifact = { name: string; bytes: number; sha256: string; type: string };

/** Files that a run leaves in its own folder. */
export const artifacts = Object.freeze({
  write: async (name: string, data: unknown, options?: { type?: string }) => {
    const { type = null } = optionsOf(options, "artifacts.write: options");
    const content = encodeBase64(toBytes(data));
    return effect<Artifact>("artifacts.write", {
      name: requireText(name, "the name of an artifact"),
      type,
      data: content,
    });
  },
});
