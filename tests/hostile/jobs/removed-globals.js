// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: removed globals",
  async run() {
    const names = [
      "WebAssembly",
      "SharedArrayBuffer",
      "Atomics",
      "WeakRef",
      "FinalizationRegistry",
      "eval",
      "process",
      "require",
      "module",
      "global",
      "ivm",
      "__jobrunnerBoot",
    ];
    const found = names.filter((name) => name in globalThis && globalThis[name] !== undefined);
    if (found.length > 0) throw new Error(`found: ${found}`);
  },
});
