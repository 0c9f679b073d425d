// outcome: limit_exceeded
// message: argumentsInFlight
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: fills the daemon with arguments of calls that take long",
  async run({ kv }) {
    const body = "x".repeat(10_000_000);
    await Promise.all(Array.from({ length: 60 }, (_, i) => kv.set(`slow.example.org ${i}`, body)));
  },
});
