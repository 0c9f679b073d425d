// outcome: timed_out|out_of_memory
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless microtasks",
  async run() {
    const again = () => Promise.resolve().then(again);
    await again();
  },
});
