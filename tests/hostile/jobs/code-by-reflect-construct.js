// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: code by reflect construct",
  async run() {
    for (const target of [(() => {}).constructor, (async () => {}).constructor]) {
      try {
        const made = Reflect.construct(target, ["return 7"], class {});
        if (typeof made === "function") throw new TypeError("escaped");
      } catch (error) {
        if (error.message === "escaped") throw new Error("code was made");
      }
    }
  },
});
