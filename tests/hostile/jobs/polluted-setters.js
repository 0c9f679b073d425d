// outcome: succeeded
// calls: kv.get {"key":"k"}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted setters",
  async run({ kv }) {
    for (const name of ["resolve", "reject", "ok", "json", "counted", "state", "outputJson"]) {
      Object.defineProperty(Object.prototype, name, {
        set() {
          throw new Error(`${name} was taken`);
        },
        get: () => undefined,
        configurable: true,
      });
    }
    await kv.get("k");
  },
});
