// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: weak references are gone",
  async run() {
    for (const name of ["WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics", "WebAssembly"]) {
      if (Reflect.has(globalThis, name)) throw new Error(`${name} is there`);
    }
  },
});
