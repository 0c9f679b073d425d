// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: hostile exec arguments",
  async run({ exec }) {
    const args = ["a"];
    args.some = () => false;
    args[Symbol.iterator] = function* () {
      yield { toJSON: () => "b" };
    };
    try {
      await exec("/bin/echo", args);
    } catch {}
  },
});
