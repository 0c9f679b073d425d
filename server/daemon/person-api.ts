import { Hono } from "hono";
import { agentsApi } from "./api/agents.ts";
import { auditApi } from "./api/audit.ts";
import { backupApi } from "./api/backup.ts";
import { deadLettersApi } from "./api/dead-letters.ts";
import { definitionsApi } from "./api/definitions.ts";
import { jobsApi } from "./api/jobs.ts";
import { metricsApi } from "./api/metrics.ts";
import { plansApi } from "./api/plans.ts";
import { questionsApi } from "./api/questions.ts";
import { rehearsalApi } from "./api/rehearsal.ts";
import { reviewApi } from "./api/review.ts";
import { runsApi } from "./api/runs.ts";
import { statusApi } from "./api/status.ts";
import { taskLinksApi } from "./api/task-links.ts";
import { tasksApi } from "./api/tasks.ts";
import { webhooksApi } from "./api/webhooks.ts";
import { workersApi } from "./api/workers.ts";
import { errorAnswer } from "./http-errors.ts";
import type { Core } from "./open-core.ts";

/** The person's door, once there is something behind it. */
export function personApi({ deps, worker, folder, definitions, metrics, github }: Core, startedAt: Date): Hono {
  const api = new Hono();
  api.onError((error) => errorAnswer(error, deps.log));
  api.notFound((c) =>
    c.json({ code: "invalid_argument", message: `There is no ${c.req.path} here.`, next: null }, 404),
  );
  api.route("/", reviewApi(deps));
  api.route("/", definitionsApi({ ...deps, watch: definitions.opened }));
  api.route("/", jobsApi(deps));
  api.route("/", runsApi(deps));
  api.route("/", plansApi(deps));
  api.route("/", questionsApi(deps));
  api.route("/", webhooksApi(deps));
  api.route("/", deadLettersApi(deps));
  api.route("/", rehearsalApi(deps));
  api.route("/", metricsApi(metrics));
  api.route("/", tasksApi(deps));
  api.route("/", taskLinksApi(deps, github));
  api.route("/", workersApi(deps));
  api.route("/", agentsApi(deps));
  api.route("/", auditApi(deps));
  api.route("/", backupApi(deps));
  api.route(
    "/",
    statusApi(deps, {
      startedAt,
      worker: worker.stats,
      problems: () => new Map([...(folder()?.problems() ?? []), ...(definitions.current()?.problems() ?? [])]),
    }),
  );
  return api;
}
