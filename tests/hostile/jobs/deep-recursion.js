// outcome: failed
// message: RangeError
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: deep recursion",
  async run() {
    const dive = () => dive() + 1;
    return dive();
  },
});
