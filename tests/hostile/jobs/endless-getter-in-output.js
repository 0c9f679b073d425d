// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless getter in output",
  async run() {
    return {
      get value() {
        for (;;);
      },
    };
  },
});
