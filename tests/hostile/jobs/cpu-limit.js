// outcome: timed_out
// message: cpu
// cpu: 400
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: cpu limit",
  async run() {
    for (;;);
  },
});
