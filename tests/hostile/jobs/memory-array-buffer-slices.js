// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory array buffer slices",
  async run() {
    const kept = [];
    for (;;) kept.push(new Uint8Array(8_000_000).fill(1).slice());
  },
});
