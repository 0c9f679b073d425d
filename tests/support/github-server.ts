import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";

export type StandInIssue = {
  number: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  state_reason: string | null;
  labels: { name: string }[];
  updated_at: string;
  pull_request?: object;
};

/** What goes wrong with a request: an answer instead, or none, before or after it was done. */
export type Fault =
  | Readonly<{ status: number; headers?: Record<string, string>; message?: string }>
  | "lost"
  | "unanswered";

export type GithubServer = AsyncDisposable &
  Readonly<{
    url: string;
    issues: StandInIssue[];
    /** Method and path with query of every request, in order. */
    requests: string[];
    add(issue: Partial<StandInIssue> & { title: string }): StandInIssue;
    /** As somebody there would change it. */
    edit(number: number, change: Partial<StandInIssue>): void;
    /** Asked at each request. */
    faults: { next: (method: string, path: string) => Fault | undefined };
  }>;

const write = z.strictObject({
  title: z.string().optional(),
  body: z.string().optional(),
  labels: z.array(z.string()).optional(),
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.string().optional(),
});

/** Speaks the part of GitHub's REST API that issues need: pages, `since`, etags, limits; one repository, `acme/app`. Its clock steps a second with each write. */
export async function githubServer({
  token,
  pageSize = 100,
}: {
  token: string;
  pageSize?: number;
}): Promise<GithubServer> {
  const issues: StandInIssue[] = [];
  const requests: string[] = [];
  const faults: GithubServer["faults"] = { next: () => undefined };
  let now = Date.parse("2026-11-01T00:00:00Z");
  const tick = () => {
    now += 1_000;
    return new Date(now).toISOString().replace(".000", "");
  };
  const add: GithubServer["add"] = (issue) => {
    const made = {
      body: null,
      state: "open" as const,
      state_reason: null,
      labels: [],
      ...issue,
      number: issues.length + 1,
      updated_at: tick(),
    };
    issues.push(made);
    return made;
  };
  const edit: GithubServer["edit"] = (number, change) => {
    const issue = issues[number - 1];
    if (issue !== undefined) Object.assign(issue, change, { updated_at: tick() });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    requests.push(`${method} ${url}`);
    const say = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { date: new Date(now).toUTCString(), "content-type": "application/json", ...headers });
      response.end(status === 304 ? undefined : JSON.stringify(value));
    };
    const fault = faults.next(method, url);
    if (fault === "lost") return void request.socket.destroy();
    if (fault !== undefined && fault !== "unanswered") {
      return say(fault.status, { message: fault.message ?? "no" }, fault.headers);
    }
    if (request.headers.authorization !== `Bearer ${token}`) return say(401, { message: "Bad credentials" });
    const { pathname, searchParams } = new URL(url, "http://x");
    const [, number] = /^\/api\/v3\/repos\/acme\/app\/issues(?:\/(\d+))?$/.exec(pathname) ?? [];
    if (!pathname.startsWith("/api/v3/repos/acme/app/issues")) return say(404, { message: "Not Found" });
    const body = method === "GET" ? {} : write.parse(JSON.parse(await text(request)));
    if (method === "GET" && number === undefined) return list(searchParams, request, say);
    const issue = method === "POST" ? add({ title: "", ...(await fields(body)) }) : issues[Number(number) - 1];
    if (issue === undefined) return say(404, { message: "Not Found" });
    if (method === "PATCH") edit(issue.number, await fields(body));
    if (fault === "unanswered") return void request.socket.destroy();
    return say(method === "POST" ? 201 : 200, issue);
  }

  async function fields({ labels, ...rest }: z.infer<typeof write>): Promise<Partial<StandInIssue>> {
    return {
      ...rest,
      ...(labels === undefined ? {} : { labels: labels.map((name) => ({ name })) }),
    } as Partial<StandInIssue>;
  }

  function list(
    query: URLSearchParams,
    request: IncomingMessage,
    say: (status: number, value: unknown, headers?: Record<string, string>) => void,
  ): void {
    const since = query.get("since");
    const page = Number(query.get("page") ?? 1);
    const size = Math.min(pageSize, Number(query.get("per_page") ?? 30));
    const found = issues
      .filter(
        ({ state, updated_at }) =>
          (query.get("state") === "all" || state === "open") && (since === null || updated_at >= since),
      )
      .toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1));
    const shown = found.slice((page - 1) * size, page * size);
    const etag = `W/"${Buffer.from(JSON.stringify(shown.map(({ number, updated_at }) => [number, updated_at])))
      .toString("base64url")
      .slice(-40)}"`;
    const link =
      page * size < found.length
        ? { link: `<http://x/?page=${page + 1}>; rel="next", <http://x/?page=9>; rel="last"` }
        : {};
    if (request.headers["if-none-match"] === etag) say(304, undefined, { etag });
    else say(200, shown, { etag, ...link });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      response.writeHead(422, { "content-type": "application/json" });
      response.end(JSON.stringify({ message: String(thrown) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/api/v3`,
    issues,
    requests,
    add,
    edit,
    faults,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
