import { connectDaemon } from "../client.ts";
import { statusAnswer } from "../status-answer.ts";
import { type Check, ok, warn } from "./check.ts";

/** Who executes runs; only a running daemon knows. */
export const workersCheck: Check = {
  name: "workers",
  async look({ context, running }) {
    if (!running) return ok("not looked at: no daemon runs here");
    const { workers } = await (await connectDaemon(context)).get("/api/status", statusAnswer);
    const bad = workers.flatMap(({ name, state, problem }) => {
      if (state === "lost" || state === "silent") return [`${name} is ${state}`];
      return state !== "ended" && problem !== null ? [`${name} takes no runs: ${problem}`] : [];
    });
    if (bad.length > 0) return warn(bad.join("; "), "jr workers");
    const there = workers.filter(({ state }) => state !== "ended");
    const places = there.reduce((sum, { max }) => sum + max, 0);
    return ok(`${there.length}, with ${places} places`);
  },
};
