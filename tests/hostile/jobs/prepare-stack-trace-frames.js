// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: looks for functions of the runtime in call frames",
  async run() {
    const found = [];
    Error.prepareStackTrace = (_error, frames) => {
      for (const frame of frames) {
        const made = frame.getFunction() ?? frame.getThis();
        if (typeof made === "function") found.push(String(made.constructor));
      }
      return "";
    };
    try {
      structuredClone(() => {});
    } catch (error) {
      String(error.stack);
    }
    for (const text of found) if (text.includes("native code")) throw new Error(text);
  },
});
