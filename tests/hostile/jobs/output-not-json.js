// outcome: failed
// message: BigInt
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: output not json",
  async run() {
    return { n: 1n };
  },
});
