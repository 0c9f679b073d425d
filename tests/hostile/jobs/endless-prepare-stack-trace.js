// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless prepare stack trace",
  async run() {
    Error.prepareStackTrace = () => {
      for (;;);
    };
    throw new Error("x");
  },
});
