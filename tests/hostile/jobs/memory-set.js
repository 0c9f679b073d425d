// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory set",
  async run() {
    const kept = new Set();
    for (let i = 0; ; i++) kept.add({ i });
  },
});
