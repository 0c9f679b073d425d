// outcome: out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory bigints",
  async run() {
    const kept = [];
    for (;;) kept.push(1n << 4_000_000n);
  },
});
