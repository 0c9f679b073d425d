// outcome: failed
// message: from a timer
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: timer throws",
  async run() {
    setTimeout(() => {
      throw new Error("from a timer");
    }, 1);
    await new Promise((done) => setTimeout(done, 1000));
  },
});
