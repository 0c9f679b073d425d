// outcome: failed
// message: can never settle
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: never settles",
  async run() {
    await new Promise(() => {});
  },
});
