import { homedir } from "node:os";
import type { ExecGrant, Manifest, NetGrant } from "../jobs/manifest.ts";
import { folderReach } from "./folder-reach.ts";

type Permissions = Manifest["permissions"];

const nothing: Permissions = {
  net: [],
  secrets: {},
  files: { read: [], write: [] },
  llm: [],
  notify: [],
  exec: [],
  run: [],
  tasks: null,
  agents: [],
};

/** A person's words for every permission: what the job can do at worst, gravest first. */
export function permissionLines({ permissions }: Pick<Manifest, "permissions">): string[] {
  return newPermissionLines(nothing, permissions);
}

/** The same for what the permissions allow and those before them did not. */
export function newPermissionLines(before: Permissions | undefined, after: Permissions): string[] {
  const known = before ?? nothing;
  const files = folderLines(known.files, after.files);
  return [
    ...privateLines(known.net, after.net),
    ...execLines(known.exec, after.exec),
    ...files.wide,
    ...added(known.run, after.run).map((job) => `JOB: may start ${job}, with any input, and read what it returns`),
    ...taskLines(known.tasks, after.tasks),
    ...added(known.agents, after.agents).map(
      (role) =>
        `AGENT: may give any task to agents in the role ${role}, which do with it what you signed for that role`,
    ),
    ...hostLines(known.net, after.net),
    ...secretLines(known.secrets, after.secrets),
    ...files.narrow,
    ...added(known.llm, after.llm).map(modelLine),
    ...added(known.notify, after.notify).map((target) => `MESSAGE: may send any text to your target ${target}`),
  ];
}

/** Agents do what a task says, so writing one is asking them. */
function taskLines(before: Permissions["tasks"], after: Permissions["tasks"]): string[] {
  if (after === null || after === before || before === "write") return [];
  return after === "write"
    ? ["TASKS: may read, add, change and end tasks; your agents do what tasks say"]
    : ["TASKS: may read all tasks and their results"];
}

function added(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((each) => !before.includes(each));
}

function hostOf({ host, port }: NetGrant): string {
  return port === null ? host : `${host}:${port}`;
}

function privateLines(before: readonly NetGrant[], after: readonly NetGrant[]): string[] {
  const known = new Set(before.filter((grant) => grant.private).map(hostOf));
  return after
    .filter((grant) => grant.private && !known.has(hostOf(grant)))
    .map((grant) => `PRIVATE NETWORK: may reach ${hostOf(grant)} at private addresses`);
}

function hostLines(before: readonly NetGrant[], after: readonly NetGrant[]): string[] {
  const known = new Set(before.map(hostOf));
  return after
    .filter((grant) => !grant.private && !known.has(hostOf(grant)))
    .map((grant) => `HOST: may send to ${hostOf(grant)}`);
}

function secretLines(before: Permissions["secrets"], after: Permissions["secrets"]): string[] {
  return Object.entries(after).flatMap(([name, hosts]) => {
    if (!Object.hasOwn(before, name)) return [`SECRET: may use ${name}, sent to ${hosts.join(", ") || "no host"}`];
    const more = added(before[name] ?? [], hosts);
    return more.length === 0 ? [] : [`SECRET: ${name} is sent to ${more.join(", ")} too`];
  });
}

/** A model of Ollama's own servers, by the tag that it gives them. */
function modelLine(model: string): string {
  return /[:-]cloud$/i.test(model)
    ? `CLOUD MODEL: may send anything that it knows to ${model}, which does not run on this machine`
    : `MODEL: may ask the local model ${model}`;
}

/** Programs that run whatever code their arguments or input hold. */
const interpreters =
  /^(?:(?:ba|z|da|k|fi|c|tc)?sh|busybox|env|sudo|doas|su|ssh|xargs|find|make|docker|podman|python[\d.]*|perl|ruby|php|node|deno|bun|npm|npx|osascript|cmd|powershell|pwsh|wscript|cscript)(?:\.exe)?$/i;

function execLines(before: readonly ExecGrant[], after: readonly ExecGrant[]): string[] {
  return after.flatMap((grant) => {
    const same = before.filter((old) => startOf(old) === startOf(grant));
    const again = grant.repeatable ? "; after a crash it is started again unasked" : "";
    if (same.length === 0) return [`PROGRAM: may run ${execText(grant)}${again}`];
    return !grant.repeatable || same.some((old) => old.repeatable) ? [] : [`PROGRAM: ${execText(grant)}${again}`];
  });
}

/** Everything that a grant allows to start, so that equal ones compare equal. */
function startOf({ command, args, cwd, env }: ExecGrant): string {
  return JSON.stringify([command, args, cwd, Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function execText({ command, args, cwd, env }: ExecGrant): string {
  const name = command.split(/[\\/]/).at(-1) ?? command;
  const what = interpreters.test(name)
    ? "it runs any code that it is given"
    : "outside of the sandbox, with all that you may do";
  const variables = Object.entries(env).map(([variable, value]) => `${variable}=${JSON.stringify(value)}`);
  return [
    `${[JSON.stringify(command), ...args.map((pattern) => JSON.stringify(pattern))].join(" ")}: ${what}`,
    ...(args.at(-1) === "**" ? ["with any further arguments"] : []),
    ...(cwd === null ? [] : [`in the folder ${cwd}`]),
    ...(variables.length === 0 ? [] : [`with ${variables.join(" ")}`]),
  ].join(", ");
}

/** Wide ones apart. What may be written may be read too, and a folder stands for all that is in it. */
function folderLines(before: Permissions["files"], after: Permissions["files"]): { wide: string[]; narrow: string[] } {
  const readBefore = [...before.read, ...before.write];
  const lines = [
    ...after.write
      .filter((folder) => !isCovered(folder, before.write))
      .map((folder) => folderLine(folder, "may read, change and delete")),
    ...after.read
      .filter((folder) => !isCovered(folder, readBefore) && !isCovered(folder, after.write))
      .map((folder) => folderLine(folder, "may read")),
  ];
  const linesOf = (wide: boolean) => lines.filter((line) => line.wide === wide).map(({ text }) => text);
  return { wide: linesOf(true), narrow: linesOf(false) };
}

function folderLine(folder: string, may: string): { wide: boolean; text: string } {
  const reach = folderReach(folder, homedir());
  switch (reach) {
    case "disk":
      return { wide: true, text: `ALL FILES: ${may} everything on the disk, in ${folder}` };
    case "home":
      return { wide: true, text: `HOME FOLDER: ${may} everything in ${folder}, with keys, mail and documents` };
    case "system":
      return { wide: true, text: `SYSTEM FILES: ${may} everything in ${folder}, which programs and the system use` };
    case "hidden":
      return {
        wide: true,
        text: `HIDDEN FILES: ${may} everything in ${folder}, where programs keep keys and settings`,
      };
    case "folder":
      return { wide: false, text: `FILES: ${may} everything in ${folder}` };
    default:
      return reach satisfies never;
  }
}

function isCovered(path: string, folders: readonly string[]): boolean {
  return folders.some(
    (folder) => path === folder || path.startsWith(/[\\/]$/.test(folder) ? folder : `${folder}${separator(folder)}`),
  );
}

function separator(folder: string): string {
  return folder.startsWith("/") ? "/" : "\\";
}
