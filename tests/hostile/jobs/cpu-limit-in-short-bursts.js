// outcome: timed_out
// message: cpu
// timeout: 20000
// cpu: 400
// effects: 100000
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: cpu limit in short bursts",
  async run() {
    for (;;) {
      const until = performance.now();
      for (let i = 0; i < 2_000_000; i++) Math.sqrt(i + until);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
});
