// outcome: out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory closures",
  async run() {
    let kept = () => 0;
    for (;;) {
      const before = kept;
      const bulk = new Array(1_000).fill(0);
      kept = () => before.length + bulk.length;
    }
  },
});
