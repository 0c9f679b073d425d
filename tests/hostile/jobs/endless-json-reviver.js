// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless json reviver",
  async run() {
    JSON.parse("[1]", () => {
      for (;;);
    });
  },
});
