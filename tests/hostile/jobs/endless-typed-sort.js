// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless typed sort",
  async run() {
    for (;;) new Float64Array(4_000_000).map(() => Math.random()).sort();
  },
});
