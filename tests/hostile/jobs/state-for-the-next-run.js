// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: state for the next run",
  async run() {
    if (globalThis.left !== undefined || Array.prototype.left !== undefined) throw new Error("state of another run");
    globalThis.left = 1;
    Array.prototype.left = 1;
  },
});
