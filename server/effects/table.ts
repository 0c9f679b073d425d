import { agentsStart } from "./agents-start.ts";
import { agentsWait } from "./agents-wait.ts";
import { artifactsWrite } from "./artifacts-write.ts";
import { ask } from "./ask.ts";
import type { AnyEffect } from "./define-effect.ts";
import { execEffect } from "./exec.ts";
import { fetchEffect } from "./fetch.ts";
import { filesDelete } from "./files-delete.ts";
import { filesList } from "./files-list.ts";
import { filesRead } from "./files-read.ts";
import { filesStat } from "./files-stat.ts";
import { filesWrite } from "./files-write.ts";
import { kvDelete, kvGet, kvList, kvSet } from "./kv.ts";
import { llmGenerate } from "./llm.ts";
import { notifyEffect } from "./notify.ts";
import { runStart } from "./run-start.ts";
import { runWait } from "./run-wait.ts";
import { secretsGet } from "./secrets-get.ts";
import { secretsHmac } from "./secrets-hmac.ts";
import { sleep } from "./sleep.ts";
import { tasksComplete, tasksCreate, tasksGet, tasksList, tasksUpdate } from "./tasks.ts";
import { timer } from "./timer.ts";

/** Every call that a job can make, and nothing else. */
export const effects: readonly AnyEffect[] = [
  fetchEffect,
  timer,
  kvGet,
  kvSet,
  kvDelete,
  kvList,
  secretsGet,
  secretsHmac,
  filesRead,
  filesList,
  filesStat,
  filesWrite,
  filesDelete,
  artifactsWrite,
  execEffect,
  sleep,
  ask,
  runStart,
  runWait,
  agentsStart,
  agentsWait,
  llmGenerate,
  notifyEffect,
  tasksCreate,
  tasksList,
  tasksGet,
  tasksUpdate,
  tasksComplete,
];
