// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: no way through errors",
  async run({ kv }) {
    try {
      await kv.get(1n);
    } catch (error) {
      for (let each = error; each !== null; each = Object.getPrototypeOf(each)) {
        const make = each.constructor?.constructor;
        try {
          if (make?.("return typeof process")() === "object") throw new Error("escaped");
        } catch (other) {
          if (other.message === "escaped") throw other;
        }
      }
    }
  },
});
