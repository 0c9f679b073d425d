// outcome: failed
// message: ^LimitError: mine
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: forged limit error",
  async run() {
    const error = new Error("mine");
    error.name = "LimitError";
    error.limit = "effects";
    throw error;
  },
});
