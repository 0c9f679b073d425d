// outcome: succeeded
// calls: kv.get {"key":"k"}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted prototypes",
  async run({ kv, log }) {
    Object.prototype.toJSON = () => "polluted";
    Array.prototype.toJSON = () => "polluted";
    Object.prototype.state = "crashed";
    JSON.stringify = () => "{";
    JSON.parse = () => ({ state: "succeeded" });
    Map.prototype.get = () => undefined;
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    Promise.prototype.then = () => {};
    Array.prototype.push = () => 0;
    Array.prototype.shift = () => undefined;
    await kv.get("k");
    log.info("still here");
  },
});
