// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: calls the host where the stack is nearly used up",
  async run({ kv, log }) {
    const dive = () => {
      try {
        dive();
      } catch {}
      try {
        new URL("https://example.org/");
      } catch {}
    };
    dive();
    await kv.get("k");
    log.info("still here");
  },
});
