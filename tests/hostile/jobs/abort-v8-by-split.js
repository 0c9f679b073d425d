// outcome: crashed|out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: abort v8 by split",
  async run() {
    return "x".repeat(2 ** 29 - 24).split("").length;
  },
});
