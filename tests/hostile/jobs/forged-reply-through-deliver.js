// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: forged reply through deliver",
  async run() {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (/deliver|boot|effect|host|status/i.test(name)) throw new Error(`${name} can be reached`);
    }
  },
});
