// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory map",
  async run() {
    const kept = new Map();
    for (let i = 0; ; i++) kept.set(i, { i });
  },
});
