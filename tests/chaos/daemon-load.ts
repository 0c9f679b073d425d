/** A daemon's door of the person. */
export type Door = Readonly<{ url: string; token: string }>;

/** What a daemon has answered, so that it must be there from then on. */
export type Accepted = Readonly<{
  /** Versions of the job `submitted` by number. */
  versions: Map<number, { source: string; round: number }>;
  /** Runs of the job `steady` by number. */
  runs: Map<number, { n: number; round: number }>;
  /** Lines of their logs that somebody has read. */
  lines: Map<number, Set<string>>;
}>;

export type Answer = "submit" | "run" | "lines";

const submitted = (mark: string) => `import { defineJob } from "jobrunner";
export default defineJob({ description: "submitted again and again", run: () => ${JSON.stringify(mark)} });
`;

/** Runs of a round that nobody has seen the end of. */
const mostPending = 6;

/** Asks the daemon; throws where it does not answer, or says no. */
// biome-ignore lint/suspicious/noExplicitAny: what comes back is compared field by field
export async function callDaemon({ url, token }: Door, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text);
}

/** Submits a source and gives the number of its version; throws with what is wrong with it. */
export async function submitSource(door: Door, name: string, source: string): Promise<number> {
  const { outcome, version, diagnostics } = await callDaemon(door, "POST", "/api/jobs", { name, source });
  if (outcome === "rejected") throw new Error(`refused: ${JSON.stringify(diagnostics)}`);
  return version;
}

/** Submits, asks for runs and reads logs, all at once, until the signal says that the daemon is dead; keeps what it answered. */
export async function loadDaemon(
  door: Door,
  {
    round,
    accepted,
    onAnswer,
    signal,
  }: Readonly<{ round: number; accepted: Accepted; onAnswer: (kind: Answer) => void; signal: AbortSignal }>,
): Promise<void> {
  const own: number[] = [];
  const repeat = async (kind: Answer, ask: (n: number) => Promise<boolean>) => {
    for (let n = 0; !signal.aborted; n++) {
      try {
        if (await ask(n)) onAnswer(kind);
      } catch (error) {
        // Refused because it was killed meanwhile; anything else is a finding of its own.
        if (!signal.aborted) throw error;
        return;
      }
    }
  };
  const submit = async (n: number) => {
    const source = submitted(`${round}.${n}`);
    const version = await submitSource(door, "submitted", source);
    accepted.versions.set(version, { source, round });
    return true;
  };
  const request = (requester: number) => async (index: number) => {
    // Else runs pile up from round to round, and the submits starve.
    if (own.length >= mostPending) {
      await callDaemon(door, "GET", "/api/runs?limit=1");
      return false;
    }
    const n = (round * 10 + requester) * 10_000 + index;
    const { run } = await callDaemon(door, "POST", "/api/jobs/steady/runs", { input: { n } });
    accepted.runs.set(run.id, { n, round });
    own.push(run.id);
    return true;
  };
  const read = async () => {
    const [id] = own;
    // Asked in any case: one that only waits would never let the others' answers in.
    if (id === undefined) await callDaemon(door, "GET", "/api/runs?limit=1");
    if (id === undefined) return false;
    const { lines, ended } = await callDaemon(door, "GET", `/api/runs/${id}/log`);
    if (ended) own.shift();
    const known = accepted.lines.get(id) ?? new Set();
    for (const { text } of lines) known.add(text);
    accepted.lines.set(id, known);
    return lines.length > 0;
  };
  await Promise.all([
    repeat("submit", submit),
    repeat("run", request(0)),
    repeat("run", request(1)),
    repeat("lines", read),
  ]);
}
