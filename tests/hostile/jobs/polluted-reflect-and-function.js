// outcome: succeeded
// calls: kv.get {"key":"k"}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted reflect and function",
  async run({ kv, log }) {
    Reflect.apply = () => "polluted";
    Function.prototype.call = () => "polluted";
    Function.prototype.apply = () => "polluted";
    Map.prototype.set = () => "polluted";
    Map.prototype.delete = () => "polluted";
    String.prototype.slice = () => "polluted";
    await kv.get("k");
    log.info("still here");
  },
});
