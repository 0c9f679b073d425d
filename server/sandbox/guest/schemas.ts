import type { z as Zod } from "zod";

declare const __jobrunnerZod: typeof Zod | undefined;

/** zod; undefined in the isolate of a job whose bundle does not name it. */
export const zod = typeof __jobrunnerZod === "undefined" ? undefined : __jobrunnerZod;
Reflect.deleteProperty(globalThis, "__jobrunnerZod");

/** For what has a schema at hand, and so must have had zod. */
export function requireZod(): typeof Zod {
  if (zod === undefined) throw new TypeError('z is not here: name it in the job, as in import { z } from "jobrunner"');
  return zod;
}
