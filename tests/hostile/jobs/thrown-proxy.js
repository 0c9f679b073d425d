// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: thrown proxy",
  async run() {
    throw new Proxy(
      {},
      {
        get() {
          throw new Error("trap");
        },
        ownKeys() {
          throw new Error("trap");
        },
      },
    );
  },
});
