import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "./errors.ts";

/** Every place on disk that the product uses. All paths are absolute. */
export type Home = Readonly<{
  root: string;
  config: string;
  /** Values of secrets, mode 0600. */
  env: string;
  /** PGlite's data folder. */
  data: string;
  /** Which kind of database this home has used. */
  storeKind: string;
  /** Held through the operating system while a daemon lives. */
  lock: string;
  /** Who holds the lock and where it listens; see DaemonInfo. */
  info: string;
  /** The agents' door: a Unix socket, or a named pipe on Windows. */
  socket: string;
  logs: string;
  /** A folder per run that left artifacts. */
  runs: string;
  /** What retention keeps of runs that it deletes. */
  archive: string;
  /** A folder per plan, with one per node in it. */
  plans: string;
  /** A folder per agent that has none of a plan. */
  agents: string;
  cache: string;
  /** The person's own roles, one Markdown file each, and skills, one folder each. */
  roles: string;
  skills: string;
  /** MCP servers that roles may use, as the usual `mcpServers` JSON. */
  mcpServers: string;
  /** Programs that roles and plans may run by name. */
  commands: string;
  /** Bearer tokens of the person's HTTP door, of MCP over HTTP and of /metrics, mode 0600. */
  personToken: string;
  mcpToken: string;
  metricsToken: string;
  approverKey: string;
  /** Root keys that this machine trusts. */
  trustedKeys: string;
  /** Highest head of the chain of decisions that this machine has seen. */
  chainHead: string;
  /** The command that hosts and people call, with absolute paths inside. */
  launcher: string;
}>;

/** Whether this is the built program rather than its sources. */
export const isBuilt = !import.meta.url.endsWith(".ts");

/** Folder that holds the program's `server/`: the clone's, or `dist`. Of the built program this file is in a module of `dist/server`, too. */
export const programRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Folder that holds `package.json`, `skills` and `templates`: the clone, or the installed package. */
export const packageRoot = isBuilt ? resolve(programRoot, "..") : programRoot;

/** Whether this program belongs to a clone rather than to an installed package. */
export const runsFromClone = existsSync(join(packageRoot, "server", "main.ts"));

/** The places below `$JOBRUNNER_HOME` (default `~/.jobrunner`). Creates nothing. */
export function homePaths(env: NodeJS.ProcessEnv = process.env): Home {
  const root = resolve(env.JOBRUNNER_HOME || join(homedir(), ".jobrunner"));
  const at = (...parts: string[]) => join(root, ...parts);
  return {
    root,
    config: at("config.yaml"),
    env: at(".env"),
    data: at("data"),
    storeKind: at("store"),
    lock: at("daemon.lock"),
    info: at("daemon.json"),
    socket: socketPath(root),
    logs: at("logs"),
    runs: at("runs"),
    archive: at("archive"),
    plans: at("plans"),
    agents: at("agents"),
    cache: at("cache"),
    roles: at("roles"),
    skills: at("skills"),
    mcpServers: at("mcp.json"),
    commands: at("commands.yaml"),
    personToken: at("keys", "person.token"),
    mcpToken: at("keys", "mcp.token"),
    metricsToken: at("keys", "metrics.token"),
    approverKey: at("keys", "approver.key"),
    trustedKeys: at("keys", "trusted.json"),
    chainHead: at("keys", "head.json"),
    launcher: at("bin", process.platform === "win32" ? "jr.cmd" : "jr"),
  };
}

/**
 * Socket addresses hold at most about 100 bytes. A deeper home is refused: elsewhere, such as in the temporary folder,
 * another user could take the name first and play the daemon.
 */
function socketPath(root: string): string {
  if (process.platform === "win32") {
    // Loaded here alone: every command and every bridge starts with this file.
    const { hash } = process.getBuiltinModule("node:crypto");
    return `\\\\.\\pipe\\jobrunner-${hash("sha256", root).slice(0, 16)}`;
  }
  const socket = join(root, "daemon.sock");
  if (Buffer.byteLength(socket) <= 100) return socket;
  throw new UserError("invalid_config", `The path of the home folder is too long for a socket: ${root}`, {
    next: "set JOBRUNNER_HOME to a folder whose path has at most 85 bytes",
  });
}
