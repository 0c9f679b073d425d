// outcome: succeeded
// calls: timer {"ms":5}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: effects after the end",
  async run({ kv }) {
    setTimeout(() => kv.set("late", 1), 5);
    return "over";
  },
});
