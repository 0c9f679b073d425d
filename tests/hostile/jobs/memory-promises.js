// outcome: out_of_memory
// timeout: 20000
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory promises",
  async run() {
    const kept = [];
    for (;;) kept.push(new Promise(() => {}));
  },
});
