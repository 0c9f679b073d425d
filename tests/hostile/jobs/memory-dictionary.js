// outcome: out_of_memory|timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory dictionary",
  async run() {
    const kept = {};
    for (let i = 0; ; i++) kept[`key${i}`] = { i };
  },
});
