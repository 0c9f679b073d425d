// outcome: limit_exceeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory in the bridge",
  async run({ kv }) {
    for (;;) void kv.set("k", "x".repeat(200_000));
  },
});
