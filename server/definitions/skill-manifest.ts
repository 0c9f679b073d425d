import { z } from "zod";

/** What a version of a skill is: the texts that an agent may read, pinned by hash. */
export const skillManifestSchema = z.strictObject({
  description: z.string().min(1).max(1_024),
  /** Paths within the skill, `SKILL.md` first. */
  files: z.array(z.string()).min(1),
  /** Files of the folder that are no text: nobody reads them, and they are not signed. */
  leftOut: z.array(z.string()),
});

export type SkillManifest = Readonly<z.infer<typeof skillManifestSchema>>;
