// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless thenable",
  async run() {
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    const next = () => ({ then: (resolve) => resolve(next()) });
    await next();
  },
});
