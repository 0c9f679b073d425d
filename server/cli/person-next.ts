import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";

type Arguments = Readonly<{ name?: string; run?: string; task?: string; part?: string; action?: string }>;

/**
 * The next step of an error in a person's words: where it names a tool of the agents' door (`job_read {"name": "x"}`), the
 * command that does the same, and where it is a command, one that works from any folder; anything else as it stands.
 */
export function personNext(home: Home, next: string): string {
  if (next.startsWith("jr ")) return personCommand(home, ...next.slice("jr ".length).split(" "));
  const [, tool = "", name, value, rest = ""] =
    /^([a-z]+_[a-z]+|status)(?: ?\{"(name|run|task)": ?"([^"]+)"(.*))?/.exec(next) ?? [];
  const words = commandOf(tool, name === undefined || value === undefined ? {} : { [name]: value, ...partOf(rest) });
  return words === undefined ? next : personCommand(home, ...words);
}

function partOf(text: string): Arguments {
  const found = /"(part|action)": ?"(\w+)"/.exec(text);
  return found?.[1] === undefined || found[2] === undefined ? {} : { [found[1]]: found[2] };
}

function commandOf(tool: string, { name, run, task, part, action }: Arguments): string[] | undefined {
  switch (tool) {
    case "status":
      return ["status"];
    case "job_list":
      return ["jobs"];
    case "run_list":
      return ["runs"];
    case "job_run":
      return ["run", name ?? "NAME"];
    case "job_submit":
      return ["submit", "FILE"];
    case "job_rehearse":
      return ["plan", "FILE"];
    case "job_read":
      return name === undefined ? ["jobs"] : ["job", name, ...(part === "versions" ? ["--versions"] : [])];
    case "job_review":
      return name === undefined ? undefined : ["review", name];
    case "job_control":
      return name === undefined || action !== "resume" ? undefined : ["resume", name];
    case "run_read":
      return run === undefined ? ["runs"] : [part === "log" ? "log" : "show", run];
    case "task_list":
      return ["task", "list"];
    case "task_read":
      return task === undefined ? ["task", "list"] : ["task", "show", task];
    case "task_update":
      return task === undefined || action === undefined ? undefined : ["task", action, task];
    default:
      return undefined;
  }
}
