// outcome: limit_exceeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless timer chain",
  async run() {
    for (;;) await new Promise((resolve) => setTimeout(resolve, 0));
  },
});
