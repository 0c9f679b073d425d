// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless backtracking",
  async run() {
    return /^(a+)+$/.test(`${"a".repeat(40)}b`);
  },
});
