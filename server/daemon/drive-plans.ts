import type { AgentsDeps } from "../agents/agents-deps.ts";
import { agentsDeps } from "../agents/role-reader.ts";
import type { Config } from "../config.ts";
import { runSignedCommand } from "../definitions/run-signed-command.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { agentRunner } from "../plans/agent-runner.ts";
import { commandRunner } from "../plans/command-runner.ts";
import { decomposeRunner } from "../plans/decompose-runner.ts";
import { jobRunner } from "../plans/job-runner.ts";
import { peopleRunner } from "../plans/people-runner.ts";
import { readCatalogue } from "../plans/read-catalogue.ts";
import { requirePlanRoom } from "../plans/require-plan-room.ts";
import { startPlans } from "../plans/start-plans.ts";
import { writeReport } from "../plans/write-report.ts";
import type { Approvals } from "../review/approvals.ts";
import type { WorkerSelf } from "../runs/workers/worker-self.ts";
import type { Store } from "../store/open-store.ts";

type Deps = Readonly<{
  store: Store;
  approvals: Approvals;
  config: Config;
  secrets: () => SecretValues;
  log: Log;
  clock: () => Date;
  self: WorkerSelf;
}>;

/** Drives plans with everything that their nodes may be. Disposing it leaves them where they are, to be found again. */
export async function drivePlans(deps: Deps): Promise<AsyncDisposable> {
  const { store, approvals, config, secrets, log, clock, self } = deps;
  await using stack = new AsyncDisposableStack();
  let nudge = () => {};
  const agents: AgentsDeps = { ...agentsDeps(deps), requirePlanRoom };
  const command = stack.use(
    commandRunner({
      run: (order) => runSignedCommand({ store, approvals, secrets }, order),
      log,
      onEnd: () => nudge(),
    }),
  );
  const agent = agentRunner(agents);
  const people = peopleRunner(store);
  const plans = stack.use(
    await startPlans({
      store,
      runners: {
        agent,
        merge: agent,
        job: jobRunner({ store, approvals, log }),
        command,
        person: people,
        host: people,
        decompose: decomposeRunner({
          ...agents,
          catalogue: () => readCatalogue(deps, "host"),
          maxNodes: config.plans.nodes,
        }),
      },
      plansFolder: config.home.plans,
      host: self.host,
      owner: self.name,
      log,
      random: Math.random,
      async onRest(plan) {
        log.info({ plan: plan.id, state: plan.state, trace: plan.trace_id }, "a plan came to rest");
        await writeReport(store.db, plan, { config, now: clock() }).catch((thrown: unknown) =>
          log.error({ err: thrown, plan: plan.id }, `no report.md: ${messageOf(thrown)}`),
        );
      },
    }),
  );
  nudge = plans.nudge;
  return stack.move();
}
