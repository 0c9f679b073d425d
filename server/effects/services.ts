import type { Db } from "../store/open-store.ts";
import type { NewTaskArgs, TaskChangeArgs, TaskFilterArgs } from "./tasks.ts";

/** What effects reach besides the store. The daemon passes it in, so that an effect imports nothing else. */
export type EffectServices = Readonly<{
  /** Asks a local model. Throws UserError `model_missing`, `model_unavailable`, `model_failed`. */
  llm(request: LlmRequest, options: { signal: AbortSignal; onText: (whole: string) => void }): Promise<LlmAnswer>;
  /** Sends a message to a target of config.yaml. Throws UserError `target_not_found`, `notify_failed`. */
  notify(message: NotifyMessage, options: { idempotencyKey: string; signal: AbortSignal }): Promise<void>;
  /** Asks for a run and gives its handle; the same order again brings back the same run. Throws what `requestRun` throws. */
  startRun(order: StartOrder): Promise<string>;
  /** Waits until a run that `parent` started has ended. Throws `run_not_found` for any other. */
  awaitRun(run: { handle: string; parent: number }, signal: AbortSignal): Promise<AwaitedRun>;
  /** Asks for an agent and gives its handle; the same order again brings back the same one. Throws what `spawnAgent` throws. */
  startAgent(order: AgentStart): Promise<string>;
  /** Waits until an agent that `parent` started has ended. Throws `agent_not_found` for any other. */
  awaitAgent(agent: { handle: string; parent: number }, signal: AbortSignal): Promise<AwaitedAgent>;
  /** Puts a question to the person, in the given transaction. */
  openQuestion(db: Db, question: AskedQuestion): Promise<void>;
  /** Waits for the answer. Throws `ask_timeout` once the deadline has passed without one and without a fallback. */
  awaitAnswer(question: QuestionKey, signal: AbortSignal): Promise<unknown>;
  /** To-dos. Everything happens in the transaction that is given. */
  tasks: TaskService;
  /** Absolute path of the folder that holds a run's artifacts. */
  runFolder(runId: number): string;
  /** Absolute path of the home folder, which no job may touch. */
  homeFolder: string;
  /** A folder within it that belongs to whoever performs this, such as that of an agent. */
  ownFolder?: string;
}>;

export type QuestionKey = Readonly<{ runId: number; attempt: number; seq: number }>;

export type AskedQuestion = QuestionKey &
  Readonly<{
    job: string;
    question: string;
    /** JSON Schema of the answer. */
    schema: Readonly<Record<string, unknown>>;
    choices: readonly string[] | null;
    /** The answer once the deadline has passed; undefined for none. */
    fallback: unknown;
    askedAt: Date;
    deadline: Date | null;
  }>;

export type LlmMessage = Readonly<{ role: "system" | "user" | "assistant"; content: string }>;

export type LlmRequest = Readonly<{
  model: string;
  messages: readonly LlmMessage[];
  /** JSON Schema that the answer must fit; null for text. */
  schema: Readonly<Record<string, unknown>> | null;
  temperature: number | null;
  /** Most tokens of the answer; null for the model's own limit. */
  maxTokens: number | null;
  seed: number | null;
}>;

export type LlmAnswer = Readonly<{
  text: string;
  tokens: Readonly<{ prompt: number; output: number }>;
  finish: "stop" | "length";
}>;

export type NotifyMessage = Readonly<{
  target: string;
  title: string;
  text: string;
  urgency: "low" | "normal" | "high";
}>;

export type StartOrder = Readonly<{
  job: string;
  input: unknown;
  /** The run that asks, and its job. */
  parent: number;
  parentJob: string;
  dedupeKey: string;
  traceId: string;
}>;

export type AgentStart = Readonly<{
  role: string;
  prompt: string;
  /** JSON Schema of the answer; null leaves it to the role. */
  schema: Readonly<Record<string, unknown>> | null;
  /** The run that asks, and its job. */
  parent: number;
  parentJob: string;
  dedupeKey: string;
  traceId: string;
}>;

export type AwaitedAgent = Readonly<{
  agent: string;
  state: string;
  text: string | null;
  /** Of an answer that is JSON. */
  json?: unknown;
  tokens: number;
  usd: number;
  error: Readonly<{ reason: string; message: string }> | null;
}>;

export type AwaitedRun = Readonly<{
  run: string;
  state: string;
  output: unknown;
  error: Readonly<{ reason: string; message: string }> | null;
}>;

/** The run that acts on a task. */
export type TaskCaller = Readonly<{ job: string; runId: number; traceId: string }>;

/** A task as jobs see it. */
export type TaskView = Readonly<{
  task: string;
  title: string;
  body: string | null;
  state: string;
  urgency: string;
  priority: number;
  complexity: string;
  labels: readonly string[];
  due: string | null;
  assignee: string | null;
  parent: string | null;
  needs: readonly string[];
  /** Whether something that it needs, or a part of it, is left. */
  waits: boolean;
  forPerson: boolean;
  result: string | null;
  createdBy: string;
}>;

/** Throws UserError `task_not_found`, `task_cycle`, `task_claimed`, `task_ended`, `task_waiting`, `task_not_yours`, `invalid_argument`. */
export type TaskService = Readonly<{
  create(db: Db, order: { tasks: readonly NewTaskArgs[]; by: TaskCaller }): Promise<string[]>;
  list(db: Db, filter: TaskFilterArgs): Promise<{ tasks: readonly TaskView[]; cursor: string | null }>;
  find(db: Db, handle: string): Promise<TaskView | null>;
  update(db: Db, order: { task: string; change: TaskChangeArgs; by: TaskCaller }): Promise<void>;
  complete(
    db: Db,
    order: { task: string; state: "done" | "failed" | "cancelled"; result: string | null; by: TaskCaller },
  ): Promise<void>;
}>;
