// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: thrown symbol",
  async run() {
    throw Symbol("s");
  },
});
