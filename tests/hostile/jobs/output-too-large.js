// outcome: failed
// message: 1000000
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: output too large",
  async run() {
    return "x".repeat(1_000_001);
  },
});
