// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless to string in log",
  async run({ log }) {
    log.info({
      get name() {
        for (;;);
      },
    });
  },
});
