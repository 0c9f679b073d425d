// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless async generator",
  async run() {
    async function* forever() {
      for (;;) yield 1;
    }
    for await (const each of forever()) if (each > 1) return each;
  },
});
