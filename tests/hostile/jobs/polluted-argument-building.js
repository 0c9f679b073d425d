// outcome: succeeded
// calls: kv.get {"key":"mine"}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted argument building",
  async run({ kv }) {
    Object.prototype.op = "secrets.get";
    Object.prototype.seq = 99;
    Object.defineProperty(Object.prototype, "key", { get: () => "other", configurable: true });
    Array.prototype[Symbol.iterator] = function* () {};
    await kv.get("mine");
  },
});
