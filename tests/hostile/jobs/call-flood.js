// outcome: limit_exceeded
// message: effects
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: call flood",
  async run({ kv }) {
    for (;;) void kv.get("k");
  },
});
