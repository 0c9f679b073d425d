import { agentRead } from "./agent-read.ts";
import { agentSpawn } from "./agent-spawn.ts";
import type { Tool } from "./define-tool.ts";
import { jobControl } from "./job-control.ts";
import { jobList } from "./job-list.ts";
import { jobRead } from "./job-read.ts";
import { jobRehearse } from "./job-rehearse.ts";
import { jobReview } from "./job-review.ts";
import { jobRun } from "./job-run.ts";
import { jobSubmit } from "./job-submit.ts";
import { planControl } from "./plan-control.ts";
import { planCreate } from "./plan-create.ts";
import { runControl } from "./run-control.ts";
import { runList } from "./run-list.ts";
import { runRead } from "./run-read.ts";
import { skillRead } from "./skill-read.ts";
import { status } from "./status.ts";
import { taskCreate } from "./task-create.ts";
import { taskList } from "./task-list.ts";
import { taskRead } from "./task-read.ts";
import { taskUpdate } from "./task-update.ts";

/** Every tool, in the order in which hosts list them. At most 20. */
export const tools: readonly Tool[] = [
  jobSubmit,
  jobRehearse,
  jobList,
  jobRead,
  jobReview,
  jobRun,
  jobControl,
  runList,
  runRead,
  runControl,
  taskCreate,
  taskList,
  taskRead,
  taskUpdate,
  planCreate,
  planControl,
  agentSpawn,
  agentRead,
  skillRead,
  status,
];
