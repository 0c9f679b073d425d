// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: getters in thrown values",
  async run() {
    throw {
      get name() {
        throw new Error("a");
      },
      get message() {
        throw new Error("b");
      },
      get stack() {
        throw new Error("c");
      },
    };
  },
});
