// outcome: out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory json text",
  async run() {
    const nested = new Array(1_000_000).fill("xxxxxxxxxx");
    const kept = [];
    for (;;) kept.push(JSON.stringify(nested));
  },
});
