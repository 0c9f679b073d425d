// outcome: succeeded
// effects: 20000
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: far more calls at once than are served at a time",
  async run({ kv }) {
    const answers = await Promise.all(Array.from({ length: 20_000 }, (_, n) => kv.get(`k${n}`)));
    return answers.length;
  },
});
