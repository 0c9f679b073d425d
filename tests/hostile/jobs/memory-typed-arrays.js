// outcome: out_of_memory|failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory typed arrays",
  async run() {
    const kept = [];
    for (;;) kept.push(new Uint8Array(10_000_000).fill(1));
  },
});
