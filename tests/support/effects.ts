import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { EffectContext, PreparedEffect } from "../../server/effects/define-effect.ts";
import type { EffectServices } from "../../server/effects/services.ts";
import { effects } from "../../server/effects/table.ts";
import type { Manifest } from "../../server/jobs/manifest.ts";
import { silentLog } from "../../server/log.ts";
import type { Db } from "../../server/store/open-store.ts";
import { testManifest, testPermissions, testServices } from "./runs.ts";

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
  /** Further permissions, and limits that differ from those of a test's manifest. */
  permissions?: Partial<Manifest["permissions"]>;
  limits?: Partial<Manifest["limits"]>;
  responseBytes?: number;
  services?: Partial<EffectServices>;
  runFolder?: string;
  homeFolder?: string;
  runId?: number;
  attempt?: number;
  seq?: number;
  progress?: (tail: string) => void;
  signal?: AbortSignal;
}>;

/** Performs one effect as a run would, on a manifest with these permissions. */
export async function performEffect(op: string, args: unknown, setup: EffectSetup = {}): Promise<unknown> {
  const context = effectContext(setup);
  return prepareEffect(op, args, context.manifest).perform(context);
}

/** One effect with its arguments checked, on a manifest with these permissions. */
export function prepareEffect(op: string, args: unknown, manifest: Manifest): PreparedEffect {
  const effect = effects.find((each) => each.op === op);
  if (effect === undefined) throw new Error(`no effect ${op}`);
  return effect.prepare(args, manifest);
}

/** What an effect may use, on a manifest with these permissions. */
export function effectContext(setup: EffectSetup = {}): EffectContext {
  const { db, values = {}, runFolder, homeFolder, runId = 7, attempt = 2, seq = 3 } = setup;
  return {
    get db() {
      if (db === undefined) throw new Error("this effect must not use the store");
      return db;
    },
    job: "test",
    runId,
    attempt,
    seq,
    startedAt: new Date(0),
    manifest: effectManifest(setup),
    seed: "00112233445566778899aabbccddeeff",
    traceId: "0123456789abcdef0123456789abcdef",
    secrets: { get: (name) => values[name], names: () => Object.keys(values) },
    services: testServices({
      ...(runFolder === undefined ? {} : { runFolder: () => runFolder }),
      ...(homeFolder === undefined ? {} : { homeFolder }),
      ...setup.services,
    }),
    clock: () => new Date(0),
    log: silentLog,
    signal: setup.signal ?? new AbortController().signal,
    progress: setup.progress ?? (() => {}),
  };
}

function effectManifest({ net = [], grants = {}, permissions, limits, responseBytes }: EffectSetup): Manifest {
  const base = testManifest();
  return {
    ...base,
    permissions: testPermissions({ net, secrets: grants, ...permissions }),
    limits: { ...base.limits, ...(responseBytes === undefined ? {} : { responseBytes }), ...limits },
  };
}
