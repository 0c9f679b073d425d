import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { EffectContext } from "../../server/effects/define-effect.ts";
import { effects } from "../../server/effects/table.ts";
import type { Manifest } from "../../server/jobs/manifest.ts";
import { silentLog } from "../../server/log.ts";
import type { Db } from "../../server/store/open-store.ts";
import { testManifest } from "./runs.ts";

type Received = Readonly<{ method: string; url: string; headers: IncomingMessage["headers"]; body: string }>;
type TestServer = AsyncDisposable & Readonly<{ port: number; origin: string; received: Received[] }>;

/** A real HTTP server on 127.0.0.1 that keeps what it received. */
export async function testServer(answer: (request: Received, response: ServerResponse) => void): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method = "", url = "", headers } = request;
    const entry = { method, url, headers, body: Buffer.concat(chunks).toString() };
    received.push(entry);
    answer(entry, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { port, origin: `http://127.0.0.1:${port}`, received, [Symbol.asyncDispose]: close };
}

export type EffectSetup = Readonly<{
  db?: Db;
  net?: Manifest["permissions"]["net"];
  grants?: Manifest["permissions"]["secrets"];
  values?: Readonly<Record<string, string>>;
  responseBytes?: number;
  signal?: AbortSignal;
}>;

/** Performs one effect as a run would, on a manifest with these permissions. */
export async function performEffect(op: string, args: unknown, setup: EffectSetup = {}): Promise<unknown> {
  const effect = effects.find((each) => each.op === op);
  if (effect === undefined) throw new Error(`no effect ${op}`);
  return effect.prepare(args).perform(effectContext(setup));
}

function effectContext({
  db,
  net = [],
  grants = {},
  values = {},
  responseBytes = 1_000,
  signal,
}: EffectSetup): EffectContext {
  const base = testManifest();
  return {
    get db() {
      if (db === undefined) throw new Error("this effect must not use the store");
      return db;
    },
    job: "test",
    runId: 7,
    attempt: 2,
    seq: 3,
    manifest: { ...base, permissions: { net, secrets: grants }, limits: { ...base.limits, responseBytes } },
    seed: "00112233445566778899aabbccddeeff",
    secrets: { get: (name) => values[name], names: () => Object.keys(values) },
    clock: () => new Date(0),
    log: silentLog,
    signal: signal ?? new AbortController().signal,
  };
}
