import { realpathSync } from "node:fs";
import { Command } from "commander";
import { jrProgram } from "../daemon/write-launcher.ts";
import { UserError } from "../errors.ts";
import { homePaths } from "../home.ts";
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
    .option("--separate-user", "a daemon of a user of its own; prints what root has to do, and does it as root")
    .option("--yes", "do not ask to confirm what is done as root")
    .action(({ separateUser, ...options }: { separateUser?: boolean; yes?: boolean }) =>
      separateUser
        ? installSeparateUser(context, target(context), options)
        : requireManager().install(context, name, target(context)),
    );
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

function target({ env, home }: CliContext): ServiceTarget {
  return {
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
