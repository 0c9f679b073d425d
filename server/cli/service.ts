import { realpathSync } from "node:fs";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { jrProgram } from "../daemon/write-launcher.ts";
import { UserError } from "../errors.ts";
import { type Home, homePaths } from "../home.ts";
import type { CliContext } from "./context.ts";
import { type ServiceTarget, serviceName } from "./service-files.ts";
import { installLaunchd, statusLaunchd, uninstallLaunchd } from "./service-launchd.ts";
import { installSeparateUser } from "./service-separate-user.ts";
import { installSystemd, statusSystemd, uninstallSystemd } from "./service-systemd.ts";

type Manager = Readonly<{
  install(context: CliContext, name: string, target: ServiceTarget): Promise<void>;
  uninstall(context: CliContext, name: string): Promise<void>;
  status(context: CliContext, name: string): Promise<void>;
}>;

const systemd: Manager = { install: installSystemd, uninstall: uninstallSystemd, status: statusSystemd };
const launchd: Manager = { install: installLaunchd, uninstall: uninstallLaunchd, status: statusLaunchd };

/** `jr service …`: the daemon as a service of the system, so that schedules outlive a reboot. */
export function command(context: CliContext): Command {
  const service = new Command("service").description(
    "let the system start the daemon, so that schedules outlive a reboot",
  );
  const name = serviceName(context.home.root, homePaths({}).root);
  service
    .command("install")
    .description("a systemd user unit, or a launchd agent")
    .option("--worker", "a worker in place of the daemon, in this home folder (jr worker)")
    .option("--separate-user", "a user of its own; prints what root has to do, and does it as root")
    .option("--yes", "do not ask to confirm what is done as root")
    .action(({ separateUser, worker, ...options }: { separateUser?: boolean; worker?: boolean; yes?: boolean }) => {
      const role = worker === true ? "worker" : "daemon";
      if (separateUser) return installSeparateUser(context, target(context, role), options);
      if (role === "worker") requireStoreUrl(context.home);
      return requireManager().install(context, name, target(context, role));
    });
  service
    .command("uninstall")
    .description("stop and remove it")
    .action(() => requireManager().uninstall(context, name));
  service
    .command("status", { isDefault: true })
    .description("show whether it is installed and runs")
    .action(() => requireManager().status(context, name));
  return service;
}

/** A service does not see what the person's shell has in DATABASE_URL, and its file can be read by others. */
function requireStoreUrl(home: Home): void {
  if (loadConfig(home, {}).databaseUrl !== null) return;
  throw new UserError("invalid_config", `${home.config} does not name the database, which a worker needs.`, {
    next: `write store.url into ${home.config}, then jr service install --worker`,
  });
}

function target({ env, home }: CliContext, role: ServiceTarget["role"]): ServiceTarget {
  return {
    role,
    node: realpathSync(process.execPath),
    program: jrProgram,
    home: home.root,
    jobs: env.JOBRUNNER_JOBS || null,
  };
}

function requireManager(): Manager {
  switch (process.platform) {
    case "linux":
      return systemd;
    case "darwin":
      return launchd;
    default:
      throw new UserError("unsupported", `There is no service for ${process.platform} yet.`, {
        next: "let the Task Scheduler start `jr daemon` at log-on (docs/operations.md)",
      });
  }
}
