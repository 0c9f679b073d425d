// outcome: failed
// message: code in strings is not run
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: code in timer text",
  async run() {
    setTimeout("globalThis.x = 1", 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
  },
});
