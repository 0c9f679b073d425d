// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless then in output",
  async run() {
    return {
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      get then() {
        for (;;);
      },
    };
  },
});
