// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: rejection nobody handles",
  async run() {
    void Promise.reject(new Error("nobody"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 1;
  },
});
