// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory array",
  async run() {
    const kept = [];
    for (;;) kept.push(new Array(1000).fill({}));
  },
});
