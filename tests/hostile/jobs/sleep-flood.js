// outcome: limit_exceeded
// message: effects: .*limits\.effects
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: sleeps without end, all at once and with durations that are none",
  async run({ sleep }) {
    for (const never of [Number.NaN, -1, "soon", {}, Symbol.iterator, new Date(Number.NaN), 2 ** 60]) {
      try {
        await sleep(never);
      } catch (error) {
        if (error instanceof TypeError) continue;
        throw error;
      }
      throw new Error("accepted");
    }
    for (;;) sleep("9999d");
  },
});
