// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless getter in thrown error",
  async run() {
    throw Object.defineProperty(new Error("x"), "message", {
      get() {
        for (;;);
      },
    });
  },
});
