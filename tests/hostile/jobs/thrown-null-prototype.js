// outcome: failed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: thrown null prototype",
  async run() {
    throw Object.create(null);
  },
});
