import { flushCompileCache } from "node:module";
import { followGroups } from "../effects/spawn-in-group.ts";
import { messageOf, UserError } from "../errors.ts";
import { connectParent } from "./child/parent.ts";
import { runAgent } from "./child/run-agent.ts";

/*
 * The process of one agent: it talks to the model and to MCP servers, and asks the daemon for everything else. It has no database and
 * no secrets but those of its own MCP servers, and it ends with its daemon.
 */

const stop = new AbortController();
const parent = connectParent({ onStop: (why) => stop.abort(why) });

followGroups(parent.group);

/** Nothing of its own group outlives it; the daemon ends the groups that it was told of. */
function leave(code: number): never {
  // Node does so at an end of its own, which this is not.
  flushCompileCache();
  try {
    if (process.platform !== "win32") process.kill(-process.pid, "SIGKILL");
  } catch {
    // It has no group of its own where somebody else started it.
  }
  process.exit(code);
}

try {
  const start = await parent.start;
  const end = await runAgent(parent, start, stop.signal);
  await parent.end(end);
} catch (thrown) {
  if (!stop.signal.aborted) {
    const reason = thrown instanceof UserError ? "tools" : "internal";
    await parent.end({ state: "failed", error: { reason, class: "transient", message: messageOf(thrown) } });
  }
} finally {
  leave(0);
}
