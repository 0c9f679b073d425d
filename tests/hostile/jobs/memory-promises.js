// outcome: out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory promises",
  async run() {
    const kept = [];
    for (;;) kept.push(new Promise(() => {}));
  },
});
