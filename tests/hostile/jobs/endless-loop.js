// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless loop",
  async run() {
    for (;;);
  },
});
