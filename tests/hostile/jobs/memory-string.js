// outcome: out_of_memory|failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory string",
  async run() {
    const kept = [];
    for (let i = 0; ; i++) kept.push(`${i}`.padEnd(1_000_000, String(i)).split("").join("-"));
  },
});
