// outcome: succeeded
// calls: none
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: hostile to string",
  async run({ files, notify, exec, jobs }) {
    const shifty = { toString: () => "/etc/passwd", valueOf: () => 1, [Symbol.toPrimitive]: () => "/etc/passwd" };
    for (const call of [
      () => files.read(shifty),
      () => exec(shifty),
      () => jobs.start(shifty),
      () => notify({ text: shifty }),
    ]) {
      try {
        await call();
      } catch (error) {
        if (error instanceof TypeError) continue;
      }
      throw new Error("what is no text was taken for one");
    }
  },
});
