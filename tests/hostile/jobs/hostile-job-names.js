// outcome: succeeded
// calls: run.start {"job":"other","input":null}
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: asks for other jobs with arguments that are none",
  async run({ jobs }) {
    const trap = new Proxy(
      {},
      {
        get() {
          throw new TypeError("trapped");
        },
        ownKeys() {
          throw new TypeError("trapped");
        },
      },
    );
    const circle = {};
    circle.circle = circle;
    for (const call of [
      () => jobs.start(trap),
      () => jobs.start("other", trap),
      () => jobs.start("other", circle),
      () => jobs.start("other", { toJSON: trap }),
      () => jobs.start("other", 1n),
      () => jobs.wait(trap),
      () => jobs.wait(new String("R1")),
      () => jobs.wait(undefined),
    ]) {
      try {
        await call();
      } catch (error) {
        if (error instanceof TypeError) continue;
        throw error;
      }
      throw new Error(`accepted: ${call}`);
    }
    // Its answer is null, which is no run.
    await jobs.call("other").then(
      () => {
        throw new Error("an answer that is none was taken");
      },
      () => {},
    );
  },
});
