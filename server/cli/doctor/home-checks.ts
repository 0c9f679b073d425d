import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { loadConfig } from "../../config.ts";
import { findDaemonInfo } from "../../daemon/info.ts";
import { isHeldByWorker } from "../../daemon/lock.ts";
import { personCommand } from "../../person-command.ts";
import { publicKeyOf, readKeyFile } from "../../review/key-file.ts";
import { type Check, type Finding, fail, ok, warn } from "./check.ts";

export const configCheck: Check = {
  name: "config",
  look({ context: { home, env } }) {
    const { jobsFolder } = loadConfig(home, env);
    const where = existsSync(home.config) ? home.config : "defaults (no config.yaml yet)";
    return existsSync(jobsFolder)
      ? ok(`${where}; jobs in ${jobsFolder}`)
      : warn(`the jobs folder ${jobsFolder} is not there yet`, "it is made at the next start");
  },
};

export const homeCheck: Check = {
  name: "home folder",
  look({ context: { home } }) {
    const stat = statSync(home.root, { throwIfNoEntry: false });
    if (stat === undefined) return warn(`${home.root} is not there yet`, "it is made at the first start: jr start");
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      return fail(`${home.root} belongs to another user (uid ${stat.uid})`, `sudo chown -R "$(id -un)" '${home.root}'`);
    }
    return openToOthers(home.root, stat.mode, "700") ?? ok(home.root);
  },
};

export const tokensCheck: Check = {
  name: "tokens",
  look({ context: { home } }) {
    if (isHeldByWorker(home)) return ok("none: a worker has no doors");
    const missing = [home.personToken, home.mcpToken].filter((path) => !existsSync(path));
    if (missing.length > 0) return warn(`not there yet: ${missing.join(", ")}`, "made at the next start");
    for (const path of [home.personToken, home.mcpToken, home.env].filter((each) => existsSync(each))) {
      const open = openToOthers(path, statSync(path).mode, "600");
      if (open !== undefined) return open;
    }
    return ok("yours alone");
  },
};

function openToOthers(path: string, mode: number, wanted: string): Finding | undefined {
  if (process.platform === "win32" || (mode & 0o077) === 0) return undefined;
  return fail(`others can reach ${path} (mode ${(mode & 0o777).toString(8)})`, `chmod ${wanted} '${path}'`);
}

export const keyCheck: Check = {
  name: "signing key",
  look({ context: { home } }) {
    if (!existsSync(home.approverKey)) {
      return existsSync(home.trustedKeys)
        ? ok("none here; another machine's key is trusted")
        : isHeldByWorker(home)
          ? warn(
              "no key is trusted, so this worker takes no runs",
              `${personCommand(home, "setup", "--trust")} '<what jr keys export prints where you sign>'`,
            )
          : warn("none yet, so nothing can be approved", personCommand(home, "setup"));
    }
    const key = publicKeyOf(readKeyFile(home.approverKey));
    if (key.protected) return ok(`${key.id}, protected by a passphrase`);
    return warn(
      `${key.id} is UNPROTECTED: any program that runs as you can approve`,
      personCommand(home, "keys", "rotate"),
    );
  },
};

export const lockCheck: Check = {
  name: "daemon",
  look({ context: { home }, running }) {
    const info = findDaemonInfo(home);
    if (!running && isHeldByWorker(home))
      return ok(`none: a worker (pid ${info?.pid}, version ${info?.version}) has this home`);
    if (!running) return warn("does not run", personCommand(home, "start"));
    if (info === undefined)
      return fail("a process holds the lock, but daemon.json does not say which", "end it and start again");
    return ok(`pid ${info.pid}, version ${info.version}, since ${info.started_at}`);
  },
};

export const portCheck: Check = {
  name: "port",
  async look({ context: { home }, config, running }) {
    if (running) {
      const url = findDaemonInfo(home)?.url;
      return url ? ok(url) : fail("the daemon does not listen", `read ${home.logs}/daemon.log`);
    }
    if (config === undefined || config.http.port === 0) return ok("any free one");
    const { host, port } = config.http;
    const problem = await tryListen(host, port);
    if (problem === undefined) return ok(`${host}:${port} is free`);
    if (problem === "EADDRINUSE") return warn(`${host}:${port} is taken`, "a free one will be used; or set http.port");
    return fail(`cannot listen on ${host}:${port} (${problem})`, "set http.host and http.port in config.yaml");
  },
};

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
