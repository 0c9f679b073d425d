// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless queue microtask",
  async run() {
    const again = () => queueMicrotask(again);
    again();
    await new Promise(() => {});
  },
});
