/*
 * Types for authors of jobs: the module "jobrunner", and the globals of the sandbox. The globals are those of the web
 * that exist here, in the shape that they have here; there is no DOM, no Node and no file system.
 */

declare module "jobrunner" {
  import type { z } from "zod";

  export { z } from "zod";

  /** Any JSON value: what kv keeps and what run() may return. */
  export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

  /**
   * A cron schedule of five fields (six with seconds first).
   * @example
   * { cron: "0 8 * * 1-5", timezone: "Asia/Seoul", catchUp: "latest", overlap: "skip" }
   */
  export interface Schedule {
    /** Names the schedule where a job has several; default "main". */
    key?: string;
    cron: string;
    /** IANA zone such as "Asia/Seoul"; default: the job's time zone. */
    timezone?: string;
    /** Slots missed while nothing ran: forget them, run the latest one, or run all. Default "latest". */
    catchUp?: "none" | "latest" | "all";
    /** Most slots that "all" makes up for. */
    catchUpMax?: number;
    /** What happens when the run before is still going. Default "skip". */
    overlap?: "allow" | "skip" | "queue" | "replace";
    /** A slot that could not start within this time is recorded as missed, such as "10m". */
    startDeadline?: string | number;
    /** Each slot's run starts up to this much after it, such as "5m", so that many jobs do not start at once. */
    jitter?: string | number;
  }

  /**
   * What starts the job besides its schedule. The job finds what it was in `run.event`.
   * @example
   * { after: ["backup", { job: "import", on: "failure" }], files: ["~/inbox"], webhook: true }
   */
  export interface Triggers {
    /** Jobs after whose runs it runs: those that succeeded, unless `on` says otherwise. */
    after?: readonly (string | { job: string; on?: "success" | "failure" | "end" })[];
    /** Files and folders of `permissions.files`: it runs when something in them changes. */
    files?: readonly string[];
    /** A secret address starts it; the person makes it: jr webhook NAME. */
    webhook?: boolean;
  }

  /**
   * The powers that a job asks for. A person signs exactly these.
   * @example
   * { net: ["api.example.org"], secrets: { API_TOKEN: ["api.example.org"] }, files: { read: ["~/notes"] } }
   */
  export interface Permissions {
    /** Hosts that fetch may reach: "api.example.org", "api.example.org:8443", or an object to allow a private address. */
    net?: readonly (string | { host: string; port?: number | null; private?: boolean })[];
    /** Secret name to the hosts that may receive it. */
    secrets?: Readonly<Record<string, readonly string[]>>;
    /** Folders or files, absolute or below "~/". What may be written may be read too. */
    files?: { read?: readonly string[]; write?: readonly string[] };
    /** Models that `llm.generate` may ask, such as "qwen3:4b". */
    llm?: readonly string[];
    /** Targets of config.yaml that `notify` may use. */
    notify?: readonly string[];
    /** Programs that `exec` may start. */
    exec?: readonly ExecPermission[];
    /** Jobs that `jobs.start` may run. */
    run?: readonly string[];
    /** Roles whose agents `agents.run` may give tasks to, such as ["researcher"]; you sign what each role may do by itself. */
    agents?: readonly string[];
    /** Whether `tasks` may be read, or written too. */
    tasks?: "read" | "write" | null;
  }

  /**
   * One program and how it may be called. Each argument has a pattern, in which `*` stands for any text; a last pattern `**` stands
   * for any further arguments that do not begin with "-".
   * @example
   * { command: "/usr/bin/git", args: ["log", "--oneline", "--since=*"], cwd: "~/src/app", repeatable: true }
   */
  export interface ExecPermission {
    /** Absolute path. */
    command: string;
    args?: readonly string[];
    /** The folder that it starts in; default: the run's own. */
    cwd?: string;
    env?: Readonly<Record<string, string>>;
    /** Whether it may be started again where a crash cut it off. Default: false. */
    repeatable?: boolean;
  }

  export interface Limits {
    /** Longest time of one run in a runner, such as "60s"; a number is milliseconds. What it sleeps or asks does not count. */
    timeout?: string | number;
    /** Longest time that it computes. */
    cpu?: string | number;
    memoryMb?: number;
    logBytes?: number;
    /** Most calls to the outside in one run: fetches, kv calls, timers and so on. */
    effects?: number;
    /** Calls that are served at a time; further ones wait their turn. */
    inFlight?: number;
    /** Longest body that one call sends. */
    requestBytes?: number;
    /** Longest body that one call brings in. */
    responseBytes?: number;
    /** Arguments and results of one run together. */
    journalBytes?: number;
    artifactBytes?: number;
    runsPerHour?: number;
  }

  export interface Retry {
    /** Tries in all, the first included. */
    attempts?: number;
    backoff?: "fixed" | "exponential";
    delay?: string | number;
    maxDelay?: string | number;
  }

  /**
   * The job's own store. It outlives runs and versions.
   * @example
   * const seen = (await kv.get<string[]>("seen")) ?? [];
   * await kv.set("seen", [...seen, "b"]);
   *
   * const count = await kv.read<number>("count");
   * await kv.set("count", (count?.value ?? 0) + 1, { ifRevision: count?.revision ?? null });
   */
  export interface Kv {
    /** The value, or undefined where the key has none. */
    get<T extends Json = Json>(key: string): Promise<T | undefined>;
    /** The value with its revision, for compare-and-set; null where the key has none. */
    read<T extends Json = Json>(key: string): Promise<{ value: T; revision: number } | null>;
    /** With `ifRevision` it only writes over that revision (null: only where there is no value yet), and throws otherwise. */
    set(key: string, value: Json, options?: { ifRevision?: number | null }): Promise<{ revision: number }>;
    /** Whether there was a value. */
    delete(key: string): Promise<boolean>;
    /** Keys in order, a page at a time. */
    list(options?: {
      prefix?: string;
      limit?: number;
      cursor?: string;
    }): Promise<{ keys: string[]; cursor: string | null }>;
  }

  /**
   * Secrets never enter the sandbox: a job handles placeholders, and the value is put in on the way out.
   * @example
   * const token = await secrets.get("API_TOKEN");
   * await fetch("https://api.example.org/items", { headers: { authorization: `Bearer ${token}` } });
   */
  export interface Secrets {
    /** A placeholder for the URL, headers or body of a request to a host that the manifest names for this secret. */
    get(name: string): Promise<string>;
    /** A keyed digest, for APIs that want signed requests. Default: SHA-256 in hex. */
    hmac(
      name: string,
      data: string | ArrayBuffer | ArrayBufferView,
      options?: { algorithm?: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512"; encoding?: "hex" | "base64" },
    ): Promise<string>;
  }

  /**
   * Lines of the run's log; values that are no text are written as an inspector shows them.
   * @example
   * log.warn("slow answer", { ms: 1200 });
   */
  export interface Log {
    debug(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
  }

  export interface FileEntry {
    name: string;
    type: "file" | "folder" | "other";
    bytes: number;
    modifiedMs: number;
  }

  /**
   * Files below the folders of `permissions.files`. Links that lead out of them are refused.
   * @example
   * for (const { name, type } of await files.list("~/notes")) {
   *   if (type === "file") log.info(name, (await files.readText(`~/notes/${name}`)).length);
   * }
   * await files.write("~/notes/log.txt", "done\n", { mode: "append" });
   */
  export interface Files {
    read(path: string): Promise<Uint8Array<ArrayBuffer>>;
    /** As UTF-8. */
    readText(path: string): Promise<string>;
    /** What a folder holds, in order of the names. */
    list(path: string): Promise<FileEntry[]>;
    /** Null where there is nothing. */
    stat(path: string): Promise<Omit<FileEntry, "name"> | null>;
    /** Default: "replace", which is all or nothing. "create" throws where there is something. */
    write(
      path: string,
      data: string | ArrayBuffer | ArrayBufferView,
      options?: { mode?: "replace" | "append" | "create" },
    ): Promise<{ bytes: number }>;
    /** Whether there was a file. */
    delete(path: string): Promise<boolean>;
  }

  /**
   * Files that a run leaves for people and other programs, kept with the run.
   * @example
   * const { sha256 } = await artifacts.write("report.md", "# All well\n");
   */
  export interface Artifacts {
    /** `type` is a media type such as "text/markdown"; told by the name's ending where it is left out. */
    write(
      name: string,
      data: string | ArrayBuffer | ArrayBufferView,
      options?: { type?: string },
    ): Promise<{ name: string; bytes: number; sha256: string; type: string }>;
  }

  export interface LlmRequest {
    model: string;
    /** Either this or `messages`. */
    prompt?: string;
    messages?: readonly { role: "system" | "user" | "assistant"; content: string }[];
    system?: string;
    temperature?: number;
    /** Most tokens of the answer. */
    maxTokens?: number;
    seed?: number;
  }

  export interface LlmAnswer<T> {
    text: string;
    /** What the schema reads in the answer. */
    json: T;
    tokens: { prompt: number; output: number };
    /** "length": the answer was cut at `maxTokens` or the model's own limit. */
    finish: "stop" | "length";
  }

  /** Local models, over Ollama. */
  export interface Llm {
    /**
     * @example
     * const { json } = await llm.generate({ model: "qwen3:4b", prompt: text, schema: z.object({ title: z.string() }) });
     */
    generate<Schema extends z.ZodType>(request: LlmRequest & { schema: Schema }): Promise<LlmAnswer<z.output<Schema>>>;
    generate(request: LlmRequest): Promise<LlmAnswer<undefined>>;
  }

  /** `target` may be left out where the manifest grants one alone. */
  export interface Notification {
    text: string;
    title?: string;
    target?: string;
    urgency?: "low" | "normal" | "high";
  }

  export interface ExecResult {
    /** Null where a signal ended it. */
    code: number | null;
    signal: string | null;
    stdout: string;
    stderr: string;
  }

  /** Waits for a person, who answers with `jr answer`; for days where it must, without a process. */
  export interface Ask {
    /**
     * One of the choices.
     * @example
     * const answer = await ask("Post it?", { choices: ["post", "drop"], timeout: "1d", fallback: "drop" });
     */
    <const Choice extends string>(
      question: string,
      options: { choices: readonly Choice[]; timeout?: string | number; fallback?: NoInfer<Choice> },
    ): Promise<Choice>;
    /** What the schema says. */
    <Schema extends z.ZodType>(
      question: string,
      options: { schema: Schema; timeout?: string | number; fallback?: z.input<Schema> },
    ): Promise<z.output<Schema>>;
    /** Yes or no. */
    (question: string, options?: { timeout?: string | number; fallback?: boolean }): Promise<boolean>;
  }

  /**
   * Runs of the jobs of `permissions.run`.
   * @example
   * const output = await jobs.call("fetch-prices", { symbols: ["A"] });
   *
   * const { run } = await jobs.start("rebuild-index");
   * const { state } = await jobs.wait(run);
   */
  export interface Jobs {
    start(name: string, input?: Json): Promise<{ run: string }>;
    /** How it ended; `output` is null where it has none. */
    wait(run: string): Promise<{
      run: string;
      state: string;
      output: Json;
      error: { reason: string; message: string } | null;
    }>;
    /** Starts one, waits for it and gives its output; throws where it did not succeed. */
    call(name: string, input?: Json): Promise<Json>;
  }

  /** What is said of a task. */
  export interface TaskFields {
    title: string;
    /** Markdown: all that whoever does it must know. */
    body?: string | null;
    /** Default "normal". */
    urgency?: "low" | "normal" | "high" | "now";
    /** -100 to 100; higher goes first among the equally urgent. */
    priority?: number;
    complexity?: "low" | "medium" | "high";
    labels?: readonly string[];
    /** A day such as "2026-12-01", or an instant. */
    due?: string | Date | null;
    assignee?: string | null;
  }

  export interface NewTask extends TaskFields {
    /** Names it for the others of the same call. */
    key?: string;
    /** The task that it is a part of: a key of the same call, or "T12". */
    parent?: string;
    /** What must be done before, likewise. */
    dependsOn?: readonly string[];
    /** Only the person can end it. */
    forPerson?: boolean;
  }

  export interface Task {
    /** Such as "T12". */
    readonly task: string;
    readonly title: string;
    readonly body: string | null;
    readonly state: "open" | "in_progress" | "done" | "failed" | "cancelled" | "skipped";
    readonly urgency: "low" | "normal" | "high" | "now";
    readonly priority: number;
    readonly complexity: "low" | "medium" | "high";
    readonly labels: readonly string[];
    readonly due: string | null;
    readonly assignee: string | null;
    readonly parent: string | null;
    readonly needs: readonly string[];
    /** Whether something that it needs, or a part of it, is left. */
    readonly waits: boolean;
    readonly forPerson: boolean;
    readonly result: string | null;
    readonly createdBy: string;
  }

  /**
   * To-dos, which agents and people work on; `permissions.tasks` grants it.
   * @example
   * const task = await tasks.create({ title: "Look into the failing feed", urgency: "high", labels: ["feeds"] });
   * await tasks.update(task, { note: "It failed again." });
   * await tasks.complete(task, { result: "It answers again." });
   */
  export interface Tasks {
    /** Gives its handle, such as "T12". */
    create(task: NewTask): Promise<string>;
    /** A whole tree, or none of it; gives the handles in the order given. */
    create(tasks: readonly NewTask[]): Promise<string[]>;
    /** In the order in which work is taken. `ready`: what could be begun now. Live ones, unless `state` says otherwise. */
    list(filter?: {
      ready?: boolean;
      state?: "live" | "ended" | "all";
      label?: string;
      assignee?: string;
      parent?: string;
      search?: string;
      limit?: number;
      cursor?: string | null;
    }): Promise<{ tasks: Task[]; cursor: string | null }>;
    get(task: string): Promise<Task | null>;
    update(task: string, change: Partial<TaskFields> & { note?: string; dependsOn?: readonly string[] }): Promise<void>;
    complete(task: string, options?: { state?: "done" | "failed" | "cancelled"; result?: string }): Promise<void>;
  }

  /**
   * Models at work in roles that you have signed: an agent has the tools, skills and limits of its role. It can take minutes, and the
   * run leaves no process behind meanwhile.
   * @example
   * const { json } = await agents.run({
   *   role: "researcher",
   *   prompt: "Which of these releases fix security bugs?\n" + notes,
   *   schema: z.object({ versions: z.array(z.string()) }),
   * });
   */
  export interface Agents {
    /** Its answer; throws where the agent did not succeed. Do not trust what it says: it may have read anything. */
    run<Schema extends z.ZodType>(order: {
      role: string;
      prompt: string;
      schema: Schema;
    }): Promise<AgentAnswer & { json: z.output<Schema> }>;
    run(order: { role: string; prompt: string }): Promise<AgentAnswer & { json?: unknown }>;
  }

  export interface AgentAnswer {
    /** Such as "A7". */
    readonly agent: string;
    readonly text: string;
    readonly tokens: number;
    readonly usd: number;
  }

  /** Another job's run has ended. */
  export interface AfterEvent {
    readonly kind: "after";
    readonly job: string;
    /** Such as "R152". */
    readonly run: string;
    readonly state: string;
    /** What it returned; null where it has nothing. */
    readonly output: Json;
    /** Whether the output was too long to be handed on (256 KB). */
    readonly outputLeftOut: boolean;
    readonly error: { readonly reason: string; readonly message: string } | null;
  }

  /** Files that the job waits for have changed. */
  export interface FilesEvent {
    readonly kind: "files";
    /** At most 1,000 of them. */
    readonly changes: readonly { readonly path: string; readonly change: "added" | "changed" | "deleted" }[];
    /** How many further ones are not listed. */
    readonly more: number;
  }

  /** Somebody sent this to the job's webhook. Do not trust it: check a signature before acting on it. */
  export interface WebhookEvent {
    readonly kind: "webhook";
    /** Some of the request's headers, by lower-case name; none that holds a password. */
    readonly headers: Readonly<Record<string, string>>;
    readonly contentType: string | null;
    /** The text as it was sent. */
    readonly body: string;
    /** base64 where what was sent is no UTF-8. */
    readonly encoding: "utf8" | "base64";
  }

  /**
   * What started the run, where that was one of its triggers. The event tells which by its `kind`.
   * @example
   * if (run.event?.kind === "files") {
   *   for (const { path, change } of run.event.changes) log.info(`${change} ${path}`);
   * }
   * if (run.event?.kind === "after") log.info(`${run.event.job} ended as ${run.event.state}`);
   * if (run.event?.kind === "webhook") {
   *   const expected = `sha256=${await secrets.hmac("HOOK_KEY", run.event.body)}`;
   *   if (run.event.headers["x-hub-signature-256"] !== expected) throw new Error("not signed by us");
   * }
   */
  export type RunEvent = AfterEvent | FilesEvent | WebhookEvent;

  /** Which run this is. `slot` is the scheduled instant in ISO 8601, or null for a run by request. */
  export interface RunInfo {
    readonly job: string;
    readonly version: number;
    readonly run: string;
    readonly attempt: number;
    readonly trigger: string;
    readonly slot: string | null;
    /** Null for a run by schedule or request. */
    readonly event: RunEvent | null;
  }

  export interface JobContext<Input> {
    input: Input;
    kv: Kv;
    secrets: Secrets;
    log: Log;
    run: RunInfo;
    files: Files;
    artifacts: Artifacts;
    llm: Llm;
    /**
     * Tells the person something.
     * @example
     * await notify({ title: "Backup", text: "It failed twice.", urgency: "high" });
     */
    notify(message: string | Notification): Promise<void>;
    /**
     * Starts a program of `permissions.exec`, without a shell, and waits for its end.
     * @example
     * const { code, stdout, stderr } = await exec("/usr/bin/git", ["log", "--oneline", "--since=1.day"]);
     * if (code !== 0) throw new Error(stderr);
     */
    exec(
      command: string,
      args?: readonly string[],
      options?: { cwd?: string; stdin?: string | ArrayBuffer | ArrayBufferView },
    ): Promise<ExecResult>;
    /**
     * For a while or until a time; for days where it must, without a process.
     * @example
     * await sleep("3d");
     */
    sleep(until: string | number | Date): Promise<void>;
    ask: Ask;
    jobs: Jobs;
    agents: Agents;
    tasks: Tasks;
  }

  export interface JobDefinition<Schema extends z.ZodType> {
    /** What the job does, for the person who signs it. */
    description: string;
    /** Left out: the job runs by request alone. */
    schedule?: string | Schedule | readonly Schedule[];
    triggers?: Triggers;
    /** Of the runs that are due, those with the highest number start first: from -100 to 100, by default 0. */
    priority?: number;
    /** Labels that a machine must have to run it, where several share their runs, such as ["gpu"]. Default: any machine. */
    runsOn?: readonly string[];
    permissions?: Permissions;
    limits?: Limits;
    retry?: Retry;
    /**
     * What happens to a call that is not safe to repeat (a POST, say) and that a crash cut off, so that nobody knows whether it
     * happened. Default: "ask", a person decides. "skip" lets the call throw.
     */
    onUncertain?: "ask" | "repeat" | "skip";
    /** Who may ask for a run. Default: all. */
    callers?: readonly ("schedule" | "person" | "host" | "job" | "agent")[];
    /** BCP 47 locale inside the sandbox. */
    locale?: string;
    /** IANA zone inside the sandbox, and of schedules that name none. */
    timezone?: string;
    /** Schema of the input. A scheduled run gets the defaults. */
    input?: Schema;
    /** What it returns is kept as the run's output, so it must be JSON. */
    run(context: JobContext<z.output<Schema>>): unknown;
  }

  /**
   * Thrown where trying again cannot help: the run fails for good, whatever `retry` says. Any other error may be tried again.
   * @example
   * const response = await fetch("https://api.example.org/items/7");
   * if (response.status === 404) throw new PermanentError("there is no such item");
   * if (!response.ok) throw new Error(`status ${response.status}`);
   */
  export class PermanentError extends Error {}

  /**
   * Declares a job; a job file has it as its default export.
   * @example
   * export default defineJob({
   *   description: "Notes the status of a site every hour",
   *   schedule: { cron: "0 * * * *" },
   *   permissions: { net: ["www.example.org"] },
   *   async run({ kv, log }) {
   *     const { status } = await fetch("https://www.example.org/");
   *     log.info("status", status);
   *     await kv.set("status", status);
   *   },
   * });
   */
  export function defineJob<Schema extends z.ZodType = z.ZodObject<Record<never, z.ZodType>>>(
    definition: JobDefinition<Schema>,
  ): JobDefinition<Schema>;
}

/* The globals. Deviations from the web are listed in docs/job-api.md. */

type HeadersInit = Headers | Iterable<readonly [string, string]> | Record<string, string>;
type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;

interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  redirect?: "follow" | "manual" | "error";
  signal?: AbortSignal | null;
}

interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

interface Body {
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  // biome-ignore lint/suspicious/noExplicitAny: as the web's own types have it
  json(): Promise<any>;
  text(): Promise<string>;
}

declare class Headers {
  constructor(init?: HeadersInit);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  forEach(callback: (value: string, name: string, headers: Headers) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

interface Request extends Body {}
declare class Request {
  constructor(input: string | URL | Request, init?: RequestInit);
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: "follow" | "manual" | "error";
  readonly signal: AbortSignal;
  clone(): Request;
}

interface Response extends Body {}
declare class Response {
  constructor(body?: BodyInit | null, init?: ResponseInit);
  static json(value: unknown, init?: ResponseInit): Response;
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Headers;
  clone(): Response;
}

/**
 * To the hosts of `permissions.net` alone. The whole response is there when the promise settles.
 * @example
 * const response = await fetch("https://api.example.org/items", { method: "POST", body: JSON.stringify({ name: "a" }) });
 * if (!response.ok) throw new Error(`items: ${response.status}`);
 * const { id } = await response.json();
 */
declare function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

declare class URLSearchParams {
  constructor(init?: string | URLSearchParams | Record<string, string> | Iterable<readonly [string, string]>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static parse(url: string | URL, base?: string | URL): URL | null;
  static canParse(url: string | URL, base?: string | URL): boolean;
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
  hash: string;
  toString(): string;
  toJSON(): string;
}

declare class TextEncoder {
  readonly encoding: "utf-8";
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(data?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare class Event {
  constructor(type: string, options?: { cancelable?: boolean });
  readonly type: string;
  readonly cancelable: boolean;
  readonly defaultPrevented: boolean;
  readonly target: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}

type EventListener = ((event: Event) => void) | { handleEvent(event: Event): void };

declare class EventTarget {
  addEventListener(
    type: string,
    listener: EventListener | null,
    options?: boolean | { once?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener(type: string, listener: EventListener | null): void;
  dispatchEvent(event: Event): boolean;
}

declare class AbortSignal extends EventTarget {
  private constructor();
  static abort(reason?: unknown): AbortSignal;
  static timeout(ms: number): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  readonly aborted: boolean;
  readonly reason: unknown;
  onabort: ((event: Event) => void) | null;
  throwIfAborted(): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare const crypto: {
  getRandomValues<T extends ArrayBufferView>(view: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
  readonly subtle: {
    digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer>;
  };
};

declare const performance: { now(): number; readonly timeOrigin: number };

/** Writes to the run's log. */
declare const console: Record<
  "log" | "debug" | "info" | "warn" | "error" | "trace" | "dir" | "table" | "group",
  (...values: unknown[]) => void
> & { assert(condition: unknown, ...values: unknown[]): void; groupEnd(): void };

declare function setTimeout<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
// For `new Promise((resolve) => setTimeout(resolve, ms))`, whose resolve takes a value that nobody passes.
declare function setTimeout(callback: (_: void) => void, ms?: number): number;
declare function setInterval<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
declare function setInterval(callback: (_: void) => void, ms?: number): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
declare function atob(text: string): string;
declare function btoa(text: string): string;
