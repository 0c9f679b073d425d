// outcome: timed_out
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: endless proxy trap",
  async run() {
    const trapped = new Proxy(
      {},
      {
        ownKeys() {
          for (;;);
        },
      },
    );
    return trapped;
  },
});
