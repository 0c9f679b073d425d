// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: no way to the process",
  async run() {
    for (const name of [
      "process",
      "require",
      "module",
      "Buffer",
      "global",
      "isolated",
      "ivm",
      "Deno",
      "__jobrunnerBoot",
    ]) {
      if (Reflect.has(globalThis, name)) throw new Error(`${name} is there`);
    }
  },
});
