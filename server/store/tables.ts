/* Every table of the database in one file, long as it is: whoever writes a migration or a query reads the columns beside each other. */
import type { ColumnType, Generated, Insertable, Selectable } from "kysely";

/*
 * The shape of the database. JSON is kept as text: jsonb refuses \u0000 and lone surrogates and reorders keys,
 * and what was hashed or journalled must come back as it was. Times are timestamptz, given and read as Date.
 */

type CreatedAt = ColumnType<Date, Date | undefined, never>;

export type JobState = "active" | "paused" | "retired";
/** Who or what paused a job. A person's pause is lifted by a signed decision only; an agent lifts only an agent's. */
export type PausedBy = "person" | "agent" | "file_deleted";

export interface JobsTable {
  name: string;
  state: JobState;
  paused_by: PausedBy | null;
  paused_reason: string | null;
  paused_at: Date | null;
  /** Entry file relative to the jobs folder; null while it is deleted. */
  path: string | null;
  /** Machine and jobs folder that the file is in; null until it is seen there. */
  folder: ColumnType<string | null, string | null | undefined, string | null>;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export type VersionState = "pending" | "approved" | "rejected" | "superseded" | "revoked";

export interface VersionsTable {
  job: string;
  /** Counted from 1 within the job; shown as `v3`. */
  number: number;
  /** What the versions list shows. Whether it may run is decided by the chain of decisions alone, never by this column. */
  state: VersionState;
  source_hash: string;
  bundle_hash: string;
  manifest_hash: string;
  /** Hash of the blob that holds the source map; for display only, so unsigned. */
  source_map_hash: string | null;
  /** Canonical JSON of a Manifest. */
  manifest: string;
  /** JSON: the entry path and, by path, the blob hash and size of each file of the snapshot. */
  snapshot: string;
  /** JSON: packages by name, version and size in bytes. */
  packages: string;
  /** JSON: warnings of the checks. */
  checks: string;
  compiler: string;
  runtime: string;
  /** `folder`, or the host's own name and version from MCP's initialize. */
  proposed_by: string;
  note: string | null;
  rejected_note: string | null;
  /** JSON of a RehearsalReport: what it did when it was submitted, with nothing performed. For display only, so unsigned. */
  rehearsal: ColumnType<string | null, string | null | undefined, string | null>;
  created_at: CreatedAt;
}

/** What a person signs besides jobs. */
export type DefinitionKind = "role" | "skill" | "mcp_server" | "command";

/** Versions of roles, skills, MCP servers and commands, as `versions` holds those of jobs. */
export interface DefinitionsTable {
  kind: DefinitionKind;
  name: string;
  /** Counted from 1 within kind and name; shown as `v3`. */
  number: number;
  /** What lists show. Whether it may be used is decided by the chain of decisions alone, never by this column. */
  state: VersionState;
  source_hash: string;
  bundle_hash: string;
  manifest_hash: string;
  /** Canonical JSON of the manifest of its kind. */
  manifest: string;
  /** JSON: the main file and, by path, the blob hash and size of each file. */
  snapshot: string;
  compiler: string;
  runtime: string;
  /** `shipped 1.2.0`, or `folder`. */
  proposed_by: string;
  note: string | null;
  rejected_note: string | null;
  created_at: CreatedAt;
}

/** Where a definition comes from: with the program, from the home folder, or from a configured path. */
export type DefinitionOrigin = "shipped" | "home" | "path";

/** Where each definition stands on disk. */
export interface DefinitionFilesTable {
  kind: DefinitionKind;
  name: string;
  origin: DefinitionOrigin;
  /** The file or folder; null while it is deleted, and then nothing of that name is used. */
  path: string | null;
  /** Machine and home folder that it was seen in. */
  folder: string;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface BlobsTable {
  /** sha256 of `bytes`. */
  hash: string;
  bytes: Uint8Array;
  /** When it was last put; retention spares the young. */
  created_at: ColumnType<Date, Date | undefined, Date>;
}

/** The chain of signed decisions, append only. `text` is what was signed; the other columns are for finding it. */
export interface DecisionsTable {
  seq: Generated<number>;
  kind: string;
  name: string;
  version: number | null;
  decision: string;
  text: string;
  /** Base64 Ed25519 signature over the UTF-8 bytes of `text`. */
  signature: string;
  key_id: string;
  /** sha256 of `text`, a newline and `signature`. */
  hash: string;
  /** `hash` of the decision before; unique, so that two cannot follow the same one. */
  previous: string;
  created_at: CreatedAt;
}

export type RunState =
  | "queued"
  | "running"
  | "suspended"
  | "succeeded"
  | "failed"
  | "timed_out"
  | "out_of_memory"
  | "crashed"
  | "cancelled"
  | "denied"
  | "needs_decision";

export type RunTrigger = "schedule" | "person" | "host" | "job" | "agent" | "after" | "files" | "webhook";

export interface RunsTable {
  id: Generated<number>;
  job: string;
  /** The version of the latest attempt; null until the first starts. Each attempt takes the version that is active when it starts. */
  version: number | null;
  trigger: RunTrigger;
  schedule_key: string | null;
  slot: Date | null;
  /** JSON of the input; null where none was given. */
  input: string | null;
  dedupe_key: string | null;
  state: RunState;
  priority: ColumnType<number, number | undefined, number>;
  /** Not before this time. Of a suspended run: when it goes on by itself; the year 9999 where it waits for an answer alone. */
  run_at: Date;
  /** Most runs of this job that may be live when this one starts, itself included; null means no limit. */
  concurrency: number | null;
  /** A run whose first attempt has not started by then is given up: startDeadline of its schedule. */
  start_by: Date | null;
  /** The try that it is at, from 1; 0 before the first claim. A crash or a suspension goes on with the same one. */
  attempt: ColumnType<number, number | undefined, number>;
  /** The fencing token: counts up at each claim, and every later write of the run names it. */
  lease: ColumnType<number, number | undefined, number>;
  /** Whether the next claim goes on with the present attempt instead of a new one. */
  resumes: ColumnType<boolean, boolean | undefined, boolean>;
  /** How often in a row its worker died with it. */
  lost: ColumnType<number, number | undefined, number>;
  /** The run that asked for this one, or whose end started it; retention may have deleted it. */
  parent_run: number | null;
  lease_owner: string | null;
  heartbeat_at: Date | null;
  cancel_requested_at: Date | null;
  cancel_requested_by: string | null;
  /** JSON of the output. */
  output: string | null;
  /** JSON of a RunError. */
  error: string | null;
  /** A dead letter: it failed for good, and nobody has redriven or dismissed it, nor has a later slot of its schedule succeeded. */
  dead: ColumnType<boolean, boolean | undefined, boolean>;
  /** The dead letter that this run repeats; retention may have deleted it. */
  redrive_of: ColumnType<number | null, number | null | undefined, number | null>;
  /** The run that repeats this one. */
  redriven_as: ColumnType<number | null, number | null | undefined, number | null>;
  trace_id: string;
  /** `schedule`, `person`, or the host's name and version. */
  requested_by: string;
  created_at: CreatedAt;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface AttemptsTable {
  run_id: number;
  attempt: number;
  version: number | null;
  worker: string;
  /** 32 hex digits that seed the guest's random numbers. */
  seed: string;
  /** The guest's clock at its start, milliseconds since the epoch. */
  start_ms: number;
  guest_runtime: string | null;
  v8: string | null;
  icu: string | null;
  state: RunState;
  error: string | null;
  /** How often it went on from its journal. */
  resumed: ColumnType<number, number | undefined, number>;
  /** Milliseconds in a runner before it was last suspended; counts towards limits.timeoutMs. */
  active_ms: ColumnType<number, number | undefined, number>;
  started_at: CreatedAt;
  ended_at: Date | null;
}

/** The journal: one row per effect, in order of issue (`seq`) with order of delivery (`delivered`). */
export interface JournalTable {
  run_id: number;
  attempt: number;
  /** Order of issue, from 1. */
  seq: number;
  op: string;
  /** JSON of the arguments as the guest gave them (secrets are placeholders); null where it is in the blob `args_hash`. */
  args: string | null;
  args_hash: string | null;
  /** Whether it may be repeated after a crash. Unsafe effects have an `intent` row before they start. */
  safe: boolean;
  state: "intent" | "done";
  outcome: "ok" | "error" | null;
  /** JSON of the result or error exactly as the guest saw it; null where it is in the blob `result_hash`. */
  result: string | null;
  result_hash: string | null;
  /** Order of delivery, from 1. */
  delivered: number | null;
  /** The guest's clock from the delivery on, milliseconds since the epoch. */
  guest_ms: number | null;
  /** The end of what an effect in flight has put out so far; for display only. */
  progress: string | null;
  started_at: Date;
  ended_at: Date | null;
}

/** What a run waits for a person to answer. */
export interface QuestionsTable {
  run_id: number;
  attempt: number;
  /** The effect that asks, or whose outcome is not known; 0 for a question about the attempt itself. */
  seq: number;
  /**
   * `ask`: the job's own; `uncertain`: whether to repeat an effect that a crash cut off; `runtime`: whether to go on under other versions;
   * `restored`: whether to go on from a backup, which does not know what happened since.
   */
  kind: "ask" | "uncertain" | "runtime" | "restored";
  question: string;
  /** JSON Schema that the answer fits. */
  schema: string;
  /** JSON array of the answers to choose from; null where the schema alone says. */
  choices: string | null;
  /** JSON of the answer that counts once the deadline has passed; null where there is none. */
  fallback: string | null;
  asked_at: Date;
  deadline: Date | null;
  /** JSON. */
  answer: string | null;
  answered_at: Date | null;
  answered_by: string | null;
}

/** A file that a run left in its folder. */
export interface ArtifactsTable {
  run_id: number;
  /** Path within the run's folder. */
  name: string;
  attempt: number;
  /** `sha256:` and 64 hex digits of the content. */
  sha256: string;
  bytes: number;
  media_type: string;
  created_at: Date;
}

export interface RunLogsTable {
  run_id: number;
  attempt: number;
  /** Order within the attempt, from 1. */
  n: number;
  level: "debug" | "info" | "warn" | "error";
  /** Text without NUL and lone surrogates. */
  text: string;
  at: Date;
}

export interface KvTable {
  job: string;
  key: string;
  /** JSON. */
  value: string;
  /** Counts up at each write; for compare-and-set. */
  revision: number;
  updated_at: Date;
}

export interface SchedulesTable {
  job: string;
  key: string;
  version: number;
  /** JSON of a FrozenSchedule. */
  spec: string;
  /** Of the runs that it makes. */
  priority: ColumnType<number, number | undefined, number>;
  next_slot: Date | null;
}

/** What started a run, as the job sees it, where a trigger did. */
export interface RunEventsTable {
  run_id: number;
  /** JSON of a RunEvent. */
  event: string;
}

/** Which jobs run after which: those of active versions, as `schedules` are. */
export interface AfterTriggersTable {
  job: string;
  /** The job whose runs it follows. */
  source: string;
  ends: "success" | "failure" | "end";
  version: number;
  /** Of the runs that it makes, as are those of `runs`. */
  priority: number;
  concurrency: number | null;
}

/** Secret addresses that start jobs. */
export interface WebhooksTable {
  job: string;
  /** sha256 of the token, which is kept nowhere. */
  token_hash: string;
  created_at: ColumnType<Date, Date | undefined, Date>;
  /** When a request last came that started a run. */
  used_at: Date | null;
}

/** What the files that a job waits for looked like on a host when a run was last started for them. */
export interface FileWatchesTable {
  job: string;
  host: string;
  /** JSON array: the watched paths that `files` covers. */
  roots: string;
  /** JSON: size and time of change by path. */
  files: string;
  seen_at: Date;
}

/** What became of slots that did not become runs; those that did are found in `runs`. Neighbours of one reason share a row. */
export interface SkippedSlotsTable {
  job: string;
  schedule_key: string;
  /** The first slot of the stretch. */
  slot: Date;
  /** The last slot of the stretch; equal to `slot` where it is one only. */
  last_slot: Date;
  /** How many slots the stretch holds; null where there are too many to count. */
  slots: number | null;
  outcome: "skipped" | "missed";
  reason: string;
  at: CreatedAt;
}

/** Audit trail: who did what to what, besides decisions and effects. */
export interface EventsTable {
  id: Generated<number>;
  at: CreatedAt;
  /** Dotted, such as `job.paused` or `approval.refused`. */
  kind: string;
  actor: string;
  subject: string;
  /** JSON. */
  detail: string;
  trace_id: string | null;
}

export interface AlertsTable {
  /** What it is about, such as `job:feed-watch:failed`; one open row each. */
  key: string;
  /** The latest cause. */
  message: string;
  /** What it began with. */
  first_message: string;
  count: number;
  run_id: number | null;
  first_at: Date;
  last_at: Date;
  resolved_at: Date | null;
  /** How often it happened since somebody was told. */
  untold: number;
  untold_at: Date | null;
  /** How many messages told of it since it opened; 0 once its end was told. */
  told: ColumnType<number, number | undefined, number>;
  /** Not told again before this time. */
  tell_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

/** What is still to be sent of alerts: the lines of one target go out together, and are deleted once they have. */
export interface AlertLinesTable {
  id: Generated<number>;
  target: string;
  /** One line, without secrets. */
  text: string;
  recovery: boolean;
  created_at: Date;
  /** A sender is at it until then; what it has left by that time is sent again. */
  held_until: Date | null;
}

export type WorkerState = "active" | "draining" | "gone";

/** Who executes runs: one row per process, written by its own heartbeat. What is told here decides who waits for whom, never what may run. */
export interface WorkersTable {
  /** Unique per process; `lease_owner` of its runs. */
  name: string;
  host: string;
  /** Its home folder there. A process of the same host and home is its successor. */
  home: string;
  pid: number;
  version: string;
  /** Whether it has the doors, too. */
  role: "daemon" | "worker";
  /** JSON array, sorted. */
  labels: string;
  /** Most runs at a time. */
  max: number;
  running: number;
  /** `gone` at a clean end, or once it was silent for too long. */
  state: WorkerState;
  /** JSON array of guest runtimes, the newest first; journals go on under one of these with this V8 and ICU. */
  guest_runtimes: string;
  v8: string;
  icu: string;
  /** Why it takes no run at all; null where it does. */
  problem: string | null;
  /** JSON: needs that it cannot meet, by job. */
  unserved: string;
  started_at: Date;
  /** By the database's clock. */
  heartbeat_at: Date;
  /** When others gave it up; null where it has ended in order or lives. */
  lost_at: Date | null;
}

export type AgentState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** A model at work on one piece. As with runs, the table is the queue. */
export interface AgentsTable {
  id: Generated<number>;
  role: string;
  /** The role's approved version when it was last taken up; null until then. */
  role_version: number | null;
  /** A few words for lists. */
  title: string;
  state: AgentState;
  /** What it is to do. */
  prompt: string;
  /** Absolute path of the folder that it works in, besides those of its role; null for none. */
  folder: string | null;
  /** JSON array of ModelChoice: instead of the role's own order; null leaves it to that. */
  models: string | null;
  /** JSON Schema of the answer; null for text, or the role's own. */
  schema: string | null;
  /** JSON of an Oracle; null where nobody judges the answer. */
  oracle: string | null;
  /** JSON: limits below those of the role. */
  limits: string;
  urgency: "low" | "normal" | "high" | "now";
  complexity: "low" | "medium" | "high";
  task_id: number | null;
  plan_id: number | null;
  node: string | null;
  /** The agent that asked for this one. */
  parent_agent: number | null;
  /** The run of a job that asked for it. */
  parent_run: number | null;
  /** How many agents stand above it. */
  depth: number;
  dedupe_key: string | null;
  /** Its answer: text, or JSON where a schema was asked for. */
  output: string | null;
  /** JSON of an AgentError. */
  error: string | null;
  /** What answered last. */
  provider: string | null;
  model: string | null;
  tokens_in: ColumnType<number, number | undefined, number>;
  tokens_out: ColumnType<number, number | undefined, number>;
  /** Millionths of a dollar. */
  cost_microusd: ColumnType<number, number | undefined, number>;
  /** Of calls in flight, at the most. */
  reserved_tokens: ColumnType<number, number | undefined, number>;
  reserved_microusd: ColumnType<number, number | undefined, number>;
  /** Answers of models so far. */
  turns: ColumnType<number, number | undefined, number>;
  tool_calls: ColumnType<number, number | undefined, number>;
  /** How often it was taken up. */
  attempt: ColumnType<number, number | undefined, number>;
  /** The fencing token: counts up at each claim, and every later write of the agent names it. */
  lease: ColumnType<number, number | undefined, number>;
  lease_owner: string | null;
  heartbeat_at: Date | null;
  /** Milliseconds that it was at work so far. */
  active_ms: ColumnType<number, number | undefined, number>;
  /** How often in a row its daemon or its process died with it. */
  lost: ColumnType<number, number | undefined, number>;
  /** Not taken up before this time. */
  run_at: ColumnType<Date, Date | undefined, Date>;
  cancel_requested_at: Date | null;
  cancel_requested_by: string | null;
  trace_id: string;
  requested_by: string;
  created_at: CreatedAt;
  started_at: Date | null;
  finished_at: Date | null;
}

/** What an agent did, in order. Its conversation is made of these alone, so that it can go on elsewhere. */
export interface AgentStepsTable {
  agent_id: number;
  /** From 1. */
  n: number;
  /** The agent's `attempt` in which it began. */
  attempt: number;
  kind: "model" | "tool" | "oracle" | "escalation" | "fold" | "notice";
  /** `intent`: begun, and its end is not known (yet). */
  state: "intent" | "done";
  /** Of a tool or an oracle. */
  name: string | null;
  /** JSON. */
  request: string;
  /** JSON; null until it is done. */
  result: string | null;
  ok: boolean | null;
  provider: string | null;
  model: string | null;
  tokens_in: ColumnType<number, number | undefined, number>;
  tokens_out: ColumnType<number, number | undefined, number>;
  cost_microusd: ColumnType<number, number | undefined, number>;
  reserved_tokens: ColumnType<number, number | undefined, number>;
  reserved_microusd: ColumnType<number, number | undefined, number>;
  started_at: Date;
  ended_at: Date | null;
}

/** How a model does in a role, by the complexity of what it was asked. */
export interface ModelStatsTable {
  role: string;
  provider: string;
  /** Empty where the provider chooses. */
  model: string;
  complexity: AgentsTable["complexity"];
  /** Answers that were taken, that an oracle or a schema refused, and tries that brought none. */
  accepted: ColumnType<number, number | undefined, number>;
  refused: ColumnType<number, number | undefined, number>;
  failed: ColumnType<number, number | undefined, number>;
  calls: ColumnType<number, number | undefined, number>;
  /** Calls that failed. */
  errors: ColumnType<number, number | undefined, number>;
  tokens_in: ColumnType<number, number | undefined, number>;
  tokens_out: ColumnType<number, number | undefined, number>;
  cost_microusd: ColumnType<number, number | undefined, number>;
  /** Milliseconds of all calls together. */
  busy_ms: ColumnType<number, number | undefined, number>;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export type PlanState =
  | "draft"
  | "planning"
  | "running"
  | "stopping"
  | "stopped"
  | "cancelling"
  | "succeeded"
  | "failed"
  | "cancelled";

/** A goal, and the graph of nodes that serves it. */
export interface PlansTable {
  id: Generated<number>;
  goal: string;
  state: PlanState;
  /** Whether it waits as a draft once it has been decomposed. */
  hold: boolean;
  /** JSON of PlanCaps: what it may use at most. */
  caps: string;
  urgency: "low" | "normal" | "high" | "now";
  complexity: "low" | "medium" | "high";
  /** The task that stands for the whole of it; null until it has nodes. */
  task_id: number | null;
  /** JSON of a NodeError: why it ended before its nodes did. */
  error: string | null;
  /** The fencing token: counts up whenever a daemon takes the plan over, and every later write of the plan names it. */
  lease: ColumnType<number, number | undefined, number>;
  lease_owner: string | null;
  heartbeat_at: Date | null;
  /** How long it has run before `running_since`. What waits for people alone does not count. */
  ran_ms: ColumnType<number, number | undefined, number>;
  running_since: Date | null;
  /** Who asked for it, as jobs know their callers. */
  origin: "person" | "host";
  requested_by: string;
  trace_id: string;
  created_at: CreatedAt;
  started_at: Date | null;
  finished_at: Date | null;
}

export type PlanNodeState = "waiting" | "running" | "succeeded" | "failed" | "skipped" | "cancelled";
export type PlanNodeKind = "agent" | "merge" | "job" | "command" | "person" | "host" | "decompose";

/** One piece of a plan's work. */
export interface PlanNodesTable {
  plan_id: number;
  /** Its name within the plan. */
  key: string;
  /** In topological order, from 0. */
  position: number;
  /** Longest way from a node without dependencies, from 0. */
  level: number;
  kind: PlanNodeKind;
  /** JSON of a PlanNode. */
  spec: string;
  optional: boolean;
  state: PlanNodeState;
  /** Counts every try, from 1, for ever; part of the dedupe key of the agent or run that makes it. */
  attempt: ColumnType<number, number | undefined, number>;
  /** Tries since the plan or the person last began with it. */
  tries: ColumnType<number, number | undefined, number>;
  /** A waiting node that failed is not tried again before. */
  next_try_at: Date | null;
  task_id: number | null;
  /** Of the latest try. */
  agent_id: number | null;
  run_id: number | null;
  /** What it gave to those that depend on it: text, or JSON. */
  output: string | null;
  /** JSON of a NodeError. */
  error: string | null;
  /** JSON array of NodeTry: every try that has ended. */
  history: string;
  started_at: Date | null;
  finished_at: Date | null;
}

/** A file that a node left in its folder. */
export interface PlanArtifactsTable {
  plan_id: number;
  node: string;
  /** Path below the node's folder, with slashes. */
  name: string;
  attempt: number;
  media_type: string;
  bytes: number;
  sha256: string;
  /** Machine that has the file. */
  host: string;
  created_at: Date;
}

export type TaskState = "open" | "in_progress" | "done" | "failed" | "cancelled" | "skipped";
export type TaskUrgency = "low" | "normal" | "high" | "now";
export type TaskComplexity = "low" | "medium" | "high";

export interface TasksTable {
  id: Generated<number>;
  /** One line. */
  title: string;
  /** Markdown. */
  body: string | null;
  /** The task that this one is a part of; it is ready once all of its parts have ended. */
  parent: number | null;
  /** The plan whose executor it belongs to, and its node there. */
  plan_id: number | null;
  node: string | null;
  /** Who else may work on a plan's task. One for a person is finished through the person's door only, of a plan or not. */
  open_to: "host" | "person" | null;
  /** The run that it is about; retention keeps it until the task has ended. */
  run_id: number | null;
  state: TaskState;
  /** -100 to 100; higher goes first among the equally urgent. */
  priority: number;
  urgency: TaskUrgency;
  complexity: TaskComplexity;
  /** JSON array of words, sorted. */
  labels: string;
  due: Date | null;
  assignee: string | null;
  /** How many of the tasks that it needs are not done. */
  waits_for: ColumnType<number, number | undefined, number>;
  /** How many of its parts have not ended. */
  open_children: ColumnType<number, number | undefined, number>;
  claimed_by: ColumnType<string | null, string | null | undefined, string | null>;
  /** The fencing token: counts up at each claim. */
  claim: ColumnType<number, number | undefined, number>;
  /** When the lease ends; whoever comes then may claim it. */
  claimed_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
  result: string | null;
  /** What it was made from, such as `github:owner/repo#12` or `alert:KEY`; one task each. */
  source: string | null;
  created_by: string;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
  finished_at: Date | null;
}

/** `needs` must be done before `task_id` is ready. */
export interface TaskDependenciesTable {
  task_id: number;
  needs: number;
}

export type TaskEvent =
  | "created"
  | "edited"
  | "claimed"
  | "released"
  | "note"
  | "done"
  | "failed"
  | "cancelled"
  | "skipped"
  | "reopened"
  | "linked";

export interface TaskHistoryTable {
  id: Generated<number>;
  task_id: number;
  at: CreatedAt;
  kind: TaskEvent;
  /** `person`, a host's name and version, an agent, a job's run, a plan or the daemon. */
  actor: string;
  /** The note, result or reason; of an edit, JSON of each field's value before. */
  detail: string | null;
  trace_id: string | null;
}

/** A task that is an issue elsewhere, too. */
export interface TaskLinksTable {
  task_id: number;
  /** `owner/name`. */
  repo: string;
  /** Null until it is known that the issue was made. */
  number: number | null;
  /** Stands in the body, where it was made from the task: it is found again by it. */
  marker: string;
  /** When its making was last asked for; null where that has not been, or surely failed. */
  sent_at: Date | null;
  /** JSON of SharedFields: the issue as it was seen last, which changes are measured against; null where it was not yet. */
  base: string | null;
  created_at: CreatedAt;
}

/** How far a repository was read, and who is at it. */
export interface TaskReposTable {
  repo: string;
  /** Issues that changed before were read; null until every open one was. */
  since: Date | null;
  etag: string | null;
  /** The time that `etag` goes with, as it was asked for. */
  etag_for: string | null;
  synced_at: Date | null;
  problem: string | null;
  /** How often in a row it did not work. */
  failures: ColumnType<number, number | undefined, number>;
  /** Not asked again before. */
  wait_until: Date | null;
  /** A daemon is at it until then. */
  held_until: Date | null;
}

export interface Tables {
  jobs: JobsTable;
  versions: VersionsTable;
  definitions: DefinitionsTable;
  definition_files: DefinitionFilesTable;
  blobs: BlobsTable;
  decisions: DecisionsTable;
  runs: RunsTable;
  attempts: AttemptsTable;
  journal: JournalTable;
  run_logs: RunLogsTable;
  questions: QuestionsTable;
  artifacts: ArtifactsTable;
  kv: KvTable;
  schedules: SchedulesTable;
  skipped_slots: SkippedSlotsTable;
  run_events: RunEventsTable;
  after_triggers: AfterTriggersTable;
  webhooks: WebhooksTable;
  file_watches: FileWatchesTable;
  events: EventsTable;
  alerts: AlertsTable;
  alert_lines: AlertLinesTable;
  workers: WorkersTable;
  agents: AgentsTable;
  agent_steps: AgentStepsTable;
  model_stats: ModelStatsTable;
  plans: PlansTable;
  plan_nodes: PlanNodesTable;
  plan_artifacts: PlanArtifactsTable;
  tasks: TasksTable;
  task_dependencies: TaskDependenciesTable;
  task_history: TaskHistoryTable;
  task_links: TaskLinksTable;
  task_repos: TaskReposTable;
}

export type Row<T extends keyof Tables> = Selectable<Tables[T]>;
export type NewRow<T extends keyof Tables> = Insertable<Tables[T]>;
