import { join } from "node:path";
import { formatAgentId } from "../agents/agent-id.ts";
import type { AgentsDeps } from "../agents/agents-deps.ts";
import { awaitForRun } from "../agents/await-for-run.ts";
import { spawnAgent } from "../agents/spawn-agent.ts";
import type { EffectServices } from "../effects/services.ts";
import type { Home } from "../home.ts";
import { awaitChild } from "../runs/await-child.ts";
import { type ControlDeps, requestRun } from "../runs/control.ts";
import { awaitAnswer, openQuestion } from "../runs/questions.ts";
import { formatRunId } from "../runs/run-id.ts";
import { taskService } from "./task-service.ts";

type Deps = ControlDeps &
  Pick<AgentsDeps, "requireRole" | "requireCommand"> &
  Readonly<{
    home: Home;
    clock: () => Date;
    llm: EffectServices["llm"];
    notify: EffectServices["notify"];
  }>;

/** What effects reach besides the store. */
export function effectServices(deps: Deps): EffectServices {
  const { home, llm, notify } = deps;
  return {
    llm,
    notify,
    async startRun({ parent, parentJob, ...order }) {
      const requestedBy = `job ${parentJob} ${formatRunId(parent)}`;
      const { run } = await requestRun(deps, { ...order, trigger: "job", parentRun: parent, requestedBy });
      return formatRunId(run.id);
    },
    tasks: taskService,
    async startAgent({ parent, parentJob, schema, ...order }) {
      const { id } = await spawnAgent(deps, {
        ...order,
        ...(schema === null ? {} : { schema }),
        parentRun: parent,
        depth: 0,
        folder: null,
        requestedBy: `job ${parentJob} ${formatRunId(parent)}`,
      });
      return formatAgentId(id);
    },
    awaitAgent: (agent, signal) => awaitForRun(deps, agent, signal),
    awaitRun: (run, signal) => awaitChild(deps, run, signal),
    openQuestion,
    awaitAnswer: (question, signal) => awaitAnswer(deps, question, signal),
    runFolder: (runId) => join(home.runs, formatRunId(runId)),
    homeFolder: home.root,
  };
}
