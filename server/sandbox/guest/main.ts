import { installClock, startClock } from "./clock.ts";
import { deliver } from "./effect.ts";
import { installGlobals } from "./globals.ts";
import { harden } from "./harden.ts";
import { type BootConfig, type Host, setHost } from "./host.ts";
import { startJob } from "./job.ts";
import { installConsole, openLog } from "./log.ts";
import { jsonParse } from "./primordials.ts";
import { installRandom, seedRandom } from "./random.ts";
import { readStatus } from "./run-state.ts";

installClock();
installRandom();
installConsole();
installGlobals();

type Evaluate = Parameters<typeof startJob>[0];

/**
 * Called once per run by the child process, which takes it off the global object first. Gives the three entries into
 * the isolate; each returns without a value, and `status` is asked for when its microtasks are done.
 */
function boot(effectOut: Host["effect"], logOut: Host["log"], limitOut: Host["limit"], computeOut: Host["compute"]) {
  // Not in the snapshot: V8 looks for some of what this removes when it makes a context of one.
  harden();
  setHost({ effect: effectOut, log: logOut, limit: limitOut, compute: computeOut });
  return {
    start(configJson: string, evaluate: Evaluate): void {
      const config: BootConfig = jsonParse(configJson);
      seedRandom(config.seed);
      startClock(config.startMs);
      openLog(config.logBytes);
      startJob(evaluate, config);
    },
    deliver,
    status: readStatus,
  };
}

Object.defineProperty(globalThis, "__jobrunnerBoot", { value: boot, configurable: true });
