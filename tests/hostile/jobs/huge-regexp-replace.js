// outcome: timed_out|out_of_memory|crashed|failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: huge regexp replace",
  async run() {
    return "x".repeat(2 ** 28).replace(/x/g, (c) => c + c).length;
  },
});
