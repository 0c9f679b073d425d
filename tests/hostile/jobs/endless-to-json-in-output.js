// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless to json in output",
  async run() {
    return {
      toJSON() {
        for (;;);
      },
    };
  },
});
