// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory regexp matches",
  async run() {
    const kept = [];
    for (;;) kept.push("ab".repeat(100_000).match(/a/g));
  },
});
