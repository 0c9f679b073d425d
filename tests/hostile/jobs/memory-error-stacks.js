// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory error stacks",
  async run() {
    const kept = [];
    for (;;) {
      const error = new Error("x".repeat(10_000));
      kept.push(error.stack);
    }
  },
});
