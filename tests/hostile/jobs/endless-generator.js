// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless generator",
  async run() {
    function* forever() {
      for (;;) yield 1;
    }
    for (const each of forever()) if (each > 1) return each;
  },
});
