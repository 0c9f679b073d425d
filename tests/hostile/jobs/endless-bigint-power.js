// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless bigint power",
  async run() {
    return String((7n ** 4194304n) ** 64n).length;
  },
});
