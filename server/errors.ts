/** Every code that a caller can meet, with what it means. A new error starts by adding its code here. */
export const errorCodes = {
  invalid_argument: "an argument does not fit its schema",
  invalid_config: "config.yaml or an environment variable is wrong",
  invalid_name: "a job's name is not allowed",
  job_not_found: "no job of that name",
  job_retired: "the job was retired",
  version_not_found: "the job has no such version",
  compile_failed: "the source does not compile, type-check or pass the policy",
  manifest_invalid: "what the job declares is not allowed or not complete",
  source_too_large: "a source file or the whole job is too large",
  not_approved: "no valid approval covers what was asked to run",
  approval_invalid: "a decision in the store does not verify",
  version_newer: "a newer release made that version",
  chain_broken: "the chain of decisions was cut or rewritten",
  key_missing: "there is no signing key yet",
  key_exists: "there is a signing key already",
  key_untrusted: "no trusted key signed that key",
  key_unsafe: "the key file is readable or writable by others",
  wrong_passphrase: "the passphrase does not open the key",
  no_terminal: "a person at a terminal is needed",
  aborted: "the person stopped at a prompt",
  stale_review: "something changed since the review was shown",
  run_not_found: "no run of that number",
  run_not_active: "the run has ended already",
  run_not_dead: "the run is no dead letter",
  run_failed: "the run that was waited for did not succeed",
  job_paused: "the job is paused",
  input_invalid: "the input does not fit the job's schema",
  secret_not_found: "no value is set for that secret",
  permission_denied: "the signed manifest does not grant that",
  limit_exceeded: "a limit of the signed manifest was reached",
  model_missing: "the model is not on this machine",
  model_unavailable: "the server of models does not answer",
  model_failed: "the model gave no usable answer",
  provider_missing: "the program of that provider is not installed, not logged in or not enabled",
  budget_exceeded: "a cap on tokens, money, agents or time was reached",
  target_not_found: "config.yaml has no notification target of that name",
  notify_failed: "the message could not be delivered",
  file_not_found: "no file of that name",
  file_exists: "the file is there already",
  file_unsafe: "the path leads out of the granted folder, or is no plain file",
  exec_failed: "the program could not be started",
  ask_timeout: "nobody answered in time",
  no_question: "the run asks nothing",
  task_not_found: "no task of that number",
  task_cycle: "tasks would wait for each other",
  task_ended: "the task has ended already",
  task_claimed: "somebody else holds the task",
  task_waiting: "the task waits for others",
  task_not_yours: "the task is for a person, or belongs to a plan",
  claim_lost: "the claim has expired and the task was claimed again",
  uncertain: "whether the effect happened before a crash is not known",
  revision_conflict: "the value was changed since that revision",
  template_not_found: "no template of that name",
  skill_not_found: "no skill of that name",
  definition_not_found: "no role, skill, MCP server or command of that name",
  definition_gone: "the file of that role, skill, MCP server or command was deleted",
  definition_invalid: "a role, skill, MCP server or command is not written as it must be",
  mcp_server_failed: "an MCP server could not be started, or gave no usable answer",
  daemon_running: "another daemon holds this home folder",
  daemon_down: "no daemon answers",
  unauthorized: "the bearer token is missing or wrong",
  store_unavailable: "the database does not answer",
  store_not_empty: "there is a store already where another one should go",
  backup_damaged: "the backup is cut off or was changed",
  restore_unfinished: "a restore was cut off and has to be finished first",
  store_newer: "a newer release has brought the database up to date",
  plan_invalid: "the plan's nodes do not fit together",
  plan_not_found: "no plan of that number, or no such node in it",
  plan_not_ready: "the plan is in no state for that",
  worker_not_found: "no worker of that name",
  agent_not_found: "no agent of that number",
  agent_not_active: "the agent has ended already",
  disk_full: "the disk is full",
  too_many_files: "this process has as many open files as it may",
  unsupported: "this machine or system cannot do that",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * Something that the caller can fix. `next` names the tool call or command to try; it is printed as it stands.
 * Everything that is not a UserError (or a union member) is a bug and bubbles to the mcp, cli or daemon boundary.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: ErrorCode;
  readonly next: string | undefined;

  constructor(code: ErrorCode, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** A bug in the daemon as its caller sees it: the id finds the details in the log. */
export class DaemonFault extends Error {
  override readonly name = "DaemonFault";
  readonly id: string;
  readonly log: string;

  constructor(message: string, { id, log }: { id: string; log: string }) {
    super(message);
    this.id = id;
    this.log = log;
  }
}
