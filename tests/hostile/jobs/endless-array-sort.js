// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless array sort",
  async run() {
    [3, 2, 1].sort(() => {
      for (;;);
    });
  },
});
