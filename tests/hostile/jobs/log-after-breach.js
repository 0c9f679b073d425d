// outcome: limit_exceeded
// message: effects
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: log after breach",
  async run({ kv, log }) {
    try {
      for (;;) await kv.get("k");
    } finally {
      for (;;) log.info("still talking");
    }
  },
});
