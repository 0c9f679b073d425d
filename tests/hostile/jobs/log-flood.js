// outcome: limit_exceeded
// message: logBytes
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: log flood",
  async run({ log }) {
    for (;;) log.info("flood ".repeat(100));
  },
});
