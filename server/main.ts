import { createCliContext } from "./cli/context.ts";

/*
 * The program `jr`. `jr mcp` is started by hosts for every session and must be quick, so nothing but its own file is loaded.
 */
const stop = new AbortController();
/** A closed terminal, npm, `timeout` and the wrapper in jr.mjs may each hand on one and the same signal. */
const sameSignalMs = 500;
let firstAt: number | undefined;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    const now = performance.now();
    firstAt ??= now;
    stop.abort();
    // The second one means it: whatever was going on is resumed from its journal at the next start.
    if (now - firstAt > sameSignalMs) process.exit(130);
  });
}

const context = createCliContext(stop.signal);
const [, , ...args] = process.argv;
if (args[0] === "mcp" && args.length === 1) {
  const { runBridge } = await import("./cli/mcp.ts");
  process.exitCode = await runBridge(context);
  // Standard input of a host that stays open must not keep this process.
  process.exit();
} else {
  process.stdout.on("error", endUnread);
  process.stderr.on("error", endUnread);
  const { runCli } = await import("./cli/run-cli.ts");
  process.exitCode = await runCli(context, args);
}

/** Whoever read the output has seen enough, as `head` has. That ends a command; what runs for months does not need a reader. */
function endUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  if (!["up", "daemon", "worker"].includes(args[0] ?? "")) process.exit(141);
}
