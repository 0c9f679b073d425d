import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { killGroup } from "./kill-group.ts";

export type GroupChange = Readonly<{ pid: number; alive: boolean }>;
type Start = Readonly<{ command: string; args: readonly string[]; cwd: string; env: Readonly<Record<string, string>> }>;

/* Whoever guards this process has to hear of all that it starts, wherever in it that is started. */
const followers = new Set<(change: GroupChange) => void>();

/** Calls back for each group that this process starts from now on, and for its end. */
export function followGroups(onChange: (change: GroupChange) => void): void {
  followers.add(onChange);
}

/** Starts a program in a process group of its own. Once it has ended, the rest of its group is ended, too. */
export function spawnInGroup({ command, args, cwd, env }: Start): ChildProcessWithoutNullStreams {
  const child = spawn(command, [...args], { cwd, env: { ...env }, detached: true, windowsHide: true });
  const { pid } = child;
  // One that could not be started says so by an event.
  if (pid === undefined) return child;
  const tell = (alive: boolean) => {
    for (const onChange of followers) onChange({ pid, alive });
  };
  tell(true);
  child.once("exit", () => {
    killGroup(pid, "SIGKILL");
    tell(false);
  });
  return child;
}
