import type { Declared } from "./declaration-schema.ts";
import { freezeExec } from "./freeze-exec.ts";
import { freezeNames, jobProblem, modelProblem, roleProblem, targetProblem } from "./freeze-names.ts";
import { type Folders, freezeGrants } from "./freeze-path.ts";
import type { Manifest, NetGrant } from "./manifest.ts";
import type { ManifestProblem } from "./manifest-problems.ts";
import { hostText, type NamedHost, parseHost } from "./net-host.ts";

type Powers = Manifest["permissions"];

/** Every power made exact, absolute and sorted; what cannot be granted is added to `problems`. */
export function freezePermissions(
  declared: Declared["permissions"],
  folders: Folders,
  problems: ManifestProblem[],
): Powers {
  const { files, exec, llm, notify, run, agents, tasks } = declared;
  return {
    ...freezeHosts(declared, problems),
    files: {
      read: freezeGrants(files.read, "permissions.files.read", folders, problems),
      write: freezeGrants(files.write, "permissions.files.write", folders, problems),
    },
    llm: freezeNames(llm, "permissions.llm", modelProblem, problems),
    notify: freezeNames(notify, "permissions.notify", targetProblem, problems),
    exec: exec.map((each, index) => freezeExec(each, `permissions.exec.${index}`, folders, problems)),
    run: freezeNames(run, "permissions.run", jobProblem, problems),
    tasks,
    agents: freezeNames(agents, "permissions.agents", roleProblem, problems),
  };
}

/** Hosts, those of secrets among them. */
function freezeHosts(
  { net, secrets }: Declared["permissions"],
  problems: ManifestProblem[],
): Pick<Powers, "net" | "secrets"> {
  const grants = new Map<string, NetGrant>();
  function grant({ host, port }: NamedHost, isPrivate: boolean): void {
    const key = hostText({ host, port });
    grants.set(key, { host, port, private: isPrivate || grants.get(key)?.private === true });
  }
  net.forEach((each, index) => {
    const path = `permissions.net.${index}`;
    const found = readHost(each.host, path, problems);
    if (found === undefined) return;
    if (each.port !== undefined && each.port !== null && found.port !== null && each.port !== found.port) {
      problems.push({
        path,
        message: `"${each.host}" names another port than ${each.port}`,
        hint: "name the port once",
      });
      return;
    }
    if (found.private && !each.private) {
      problems.push({
        path,
        message: `"${found.host}" is this machine or a private network, which no job reaches by default`,
        hint: `if that is meant: { host: ${JSON.stringify(hostText(found))}, private: true }`,
      });
      return;
    }
    grant({ ...found, port: found.port ?? each.port ?? null }, each.private);
  });
  const frozen = Object.entries(secrets).map(([name, hosts]) => {
    const path = `permissions.secrets.${name}`;
    const found = hosts.flatMap((written) => readHost(written, path, problems) ?? []);
    for (const host of found) {
      if (host.private && grants.get(hostText(host))?.private !== true) {
        const form = `{ host: ${JSON.stringify(hostText(host))}, private: true }`;
        problems.push({
          path,
          message: `"${host.host}" is this machine or a private network`,
          hint: `if that is meant, add ${form} to permissions.net`,
        });
      }
      grant(host, false);
    }
    return [name, [...new Set(found.map(hostText))].sort()] as const;
  });
  return {
    net: [...grants.values()].sort((a, b) =>
      a.host === b.host ? (a.port ?? 0) - (b.port ?? 0) : a.host < b.host ? -1 : 1,
    ),
    secrets: Object.fromEntries(frozen.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function readHost(written: string, path: string, problems: ManifestProblem[]): NamedHost | undefined {
  const parsed = parseHost(written);
  if (parsed.ok) return parsed.host;
  problems.push({ path, message: parsed.message, hint: parsed.hint });
  return undefined;
}
