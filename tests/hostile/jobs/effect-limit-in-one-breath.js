// outcome: limit_exceeded
// message: effects
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: effect limit in one breath",
  async run({ kv }) {
    await Promise.all(Array.from({ length: 5_000 }, (_, i) => kv.get(String(i))));
  },
});
