// outcome: timed_out
// calls: none
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: a schema whose getters never return",
  async run({ ask }) {
    await ask("?", {
      schema: {
        get type() {
          for (;;);
        },
      },
    });
  },
});
