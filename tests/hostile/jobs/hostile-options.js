// outcome: succeeded
// calls: none
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: hostile options",
  async run({ files, artifacts, llm, notify, exec, ask }) {
    const trap = new Proxy(
      {},
      {
        get() {
          throw new Error("trapped");
        },
      },
    );
    for (const call of [
      () => files.write("/a", "b", trap),
      () => exec("/bin/true", [], trap),
      () => notify(trap),
      () => llm.generate(trap),
      () => ask("?", trap),
      () => artifacts.write("a", "b", trap),
    ]) {
      try {
        await call();
        throw new TypeError("accepted");
      } catch (error) {
        if (error.message !== "trapped") throw error;
      }
    }
  },
});
