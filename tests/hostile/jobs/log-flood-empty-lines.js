// outcome: limit_exceeded
// message: logBytes
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: log flood empty lines",
  async run({ log }) {
    for (;;) log.info("");
  },
});
