// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: polluted date and math",
  async run({ kv }) {
    Date.now = () => Number.NaN;
    Math.floor = () => Number.NaN;
    Math.round = () => -1;
    await kv.get("k");
    await new Promise((resolve) => setTimeout(resolve, 1));
  },
});
