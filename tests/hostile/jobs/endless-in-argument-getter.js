// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless in argument getter",
  async run({ kv }) {
    await kv.set("k", {
      get value() {
        for (;;);
      },
    });
  },
});
