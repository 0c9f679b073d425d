import { z } from "zod";
import { messageOf } from "../../errors.ts";
import { fetchOnce } from "../../fetch-once.ts";
import { version } from "../../version.ts";
import { GithubError } from "./github-error.ts";
import { type Issue, issueSchema } from "./issue-fields.ts";

/** A page of issues; undefined where nothing has changed since the one with that etag. */
export type IssuePage = Readonly<{
  issues: readonly Issue[];
  etag: string | null;
  more: boolean;
  /** The server's clock. */
  at: Date;
}>;

export type ListIssues = Readonly<{ state: "open" | "all"; since: Date | null; page: number; etag?: string | null }>;

export type IssueChange = Readonly<{
  title?: string;
  body?: string;
  labels?: readonly string[];
  state?: "open" | "closed";
  state_reason?: "completed" | "not_planned" | "reopened";
}>;

/** The part of GitHub's REST API that the link needs, of one repository. Everything throws GithubError. */
export type GithubClient = Readonly<{
  list(request: ListIssues): Promise<IssuePage | undefined>;
  read(number: number): Promise<Issue>;
  create(issue: { title: string; body: string; labels: readonly string[] }): Promise<Issue>;
  update(number: number, change: IssueChange): Promise<Issue>;
}>;

const answerMs = 30_000;
const perPage = 100;
const mostBytes = 32 * 1024 * 1024;
/** Where a limit does not say how long it lasts. */
const limitedMs = 60_000;

/** A client for a repository (`owner/name`) of github.com or of the Enterprise server whose API has that address. */
export function createGithubClient(settings: {
  url: string;
  repo: string;
  token: string;
  signal: AbortSignal;
}): GithubClient {
  const { url, repo, token, signal } = settings;
  const base = `${url.replace(/\/+$/, "")}/repos/${repo}/issues`;

  async function send(method: "GET" | "POST" | "PATCH", address: string, body?: unknown, etag?: string | null) {
    const response = await fetchOnce(address, {
      method,
      // A redirect would carry the token elsewhere; a repository that was renamed is named anew in config.yaml.
      redirect: "manual",
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "user-agent": `jobrunner/${version}`,
        "x-github-api-version": "2022-11-28",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(etag ? { "if-none-match": etag } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    }).catch((cause: unknown) => {
      throw new GithubError("unavailable", `no answer: ${messageOf(cause)}`);
    });
    const text = await response.text().catch((cause: unknown) => {
      throw new GithubError("unavailable", `the answer was cut off: ${messageOf(cause)}`);
    });
    if (response.status === 304) return { headers: response.headers, value: undefined };
    if (response.status < 200 || response.status > 299) throw refusalOf(response.status, response.headers, text);
    if (text.length > mostBytes) throw new GithubError("unavailable", "the answer is too long");
    return { headers: response.headers, value: jsonOf(text) };
  }

  async function issueOf(method: "GET" | "POST" | "PATCH", address: string, body?: unknown): Promise<Issue> {
    const { value } = await send(method, address, body);
    return checked(issueSchema, value);
  }

  return {
    async list({ state, since, page, etag }) {
      const query = new URLSearchParams({ state, sort: "updated", direction: "asc", per_page: String(perPage) });
      if (since !== null) query.set("since", since.toISOString().replace(/\.\d+Z$/, "Z"));
      if (page > 1) query.set("page", String(page));
      const { headers, value } = await send("GET", `${base}?${query}`, undefined, etag);
      if (value === undefined) return undefined;
      return {
        issues: checked(z.array(issueSchema), value),
        etag: headers.get("etag"),
        more: /<[^>]*>;\s*rel="next"/.test(headers.get("link") ?? ""),
        at: dateOf(headers.get("date")),
      };
    },
    read: (number) => issueOf("GET", `${base}/${number}`),
    create: (issue) => issueOf("POST", base, issue),
    update: (number, change) => issueOf("PATCH", `${base}/${number}`, change),
  };
}

type Headers = Readonly<{ get(name: string): string | null }>;

function refusalOf(status: number, headers: Headers, text: string): GithubError {
  const said = z.object({ message: z.string() }).safeParse(jsonOrNothing(text)).data?.message ?? "";
  const message = `${status} ${said.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200)}`.trim();
  const limited =
    headers.get("retry-after") !== null || headers.get("x-ratelimit-remaining") === "0" || /rate limit/i.test(said);
  if (status === 429 || (status === 403 && limited)) return new GithubError("limited", message, limitMs(headers));
  if (status === 404 || status === 410) return new GithubError("gone", message);
  if (status >= 300 && status < 400)
    return new GithubError("refused", `${message} (moved: name its new place in config.yaml)`);
  return new GithubError(status >= 500 ? "unavailable" : "refused", message);
}

function limitMs(headers: Headers): number {
  const after = Number(headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(after)) return after * 1_000;
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN);
  const now = dateOf(headers.get("date")).getTime();
  return Number.isFinite(reset) ? Math.max(1_000, reset * 1_000 - now) : limitedMs;
}

function dateOf(header: string | null): Date {
  const at = new Date(header ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? new Date() : at;
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new GithubError("unavailable", "the answer is none of GitHub's API; is the url right?");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GithubError("unavailable", "the answer is no JSON; is the url right?");
  }
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
