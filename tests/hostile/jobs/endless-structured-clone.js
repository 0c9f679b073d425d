// outcome: timed_out|out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless structured clone",
  async run() {
    let value = {};
    for (;;) value = structuredClone({ value, more: value });
  },
});
