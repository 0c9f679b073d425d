// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory symbols",
  async run() {
    const kept = {};
    for (let i = 0; ; i++) kept[Symbol("x".repeat(1_000) + i)] = i;
  },
});
