// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted promise",
  async run({ kv }) {
    const { then } = Promise.prototype;

    // biome-ignore lint/suspicious/noThenProperty: that is the point
    Promise.prototype.then = function (...args) {
      return then.apply(this, args);
    };
    await kv.get("k");
    globalThis.Promise = class {};
    await kv.get("k");
  },
});
