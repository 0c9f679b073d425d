import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Cluster, startCluster } from "../../support/postgres-cluster.ts";
import { holdServer } from "./hold-server.ts";
import type { StandGround } from "./open-stand.ts";
import { startRedis } from "./redis-server.ts";
import { type ContestantName, contestants } from "./table.ts";

/** What the contestants stand on: a PostgreSQL and a Redis of this machine, both with synced commits, and a server that holds runs. */
export type Grounds = AsyncDisposable &
  Readonly<{
    /** Those who find here what they need. Who is missing was said on standard error. */
    names: readonly ContestantName[];
    /** A fresh place for one of them. */
    of(name: ContestantName): Promise<StandGround>;
    /** Resolves when so many requests for a hold URL have come from now on. */
    arrivals(holdUrl: string, count: number): Promise<void>;
    /** A URL of its own that is never answered. */
    holdUrl(): string;
    /** Ends runs that are held. */
    letGo(): void;
    databaseUrl(): Promise<string>;
    /** Ids of the server processes that a contestant needs besides its own. */
    servers(name: ContestantName): readonly number[];
  }>;

/** Starts servers and finds out who can take part. */
export async function openGrounds(): Promise<Grounds> {
  await using stack = new AsyncDisposableStack();
  const root = mkdtempSync(join(tmpdir(), "jobrunner-bench-"));
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const cluster = await startCluster();
  if (cluster !== undefined) stack.defer(() => cluster.stop());
  const redis = await startRedis(join(root, "redis"));
  if (redis !== undefined) stack.use(redis);
  const holding = await holdServer();
  stack.defer(() => holding.close());
  const names = contestants.filter(({ needs }) => {
    if ("postgres" in needs) return cluster !== undefined;
    return "redis" in needs ? redis !== undefined : true;
  });
  if (cluster === undefined) missing("NO POSTGRESQL: install the package postgresql");
  if (redis === undefined) missing("NO REDIS: install the package redis-server");
  let places = 0;
  const databaseUrl = () => (cluster === undefined ? Promise.resolve("") : freshDatabase(cluster, `bench_${places++}`));
  const owned = stack.move();
  return {
    names: names.map(({ name }) => name),
    async of(name) {
      const folder = join(root, `place-${places++}`);
      mkdirSync(folder, { recursive: true });
      const entry = contestants.find((each) => each.name === name);
      const wantsDatabase = entry !== undefined && "postgres" in entry.needs;
      return {
        folder,
        databaseUrl: wantsDatabase ? await databaseUrl() : "",
        redisPort: redis?.port ?? 0,
        holdUrl: holding.url(),
      };
    },
    arrivals: holding.arrivals,
    letGo: holding.letGo,
    holdUrl: holding.url,
    databaseUrl,
    servers(name) {
      const needs = contestants.find((each) => each.name === name)?.needs ?? {};
      if ("postgres" in needs) return cluster === undefined ? [] : [cluster.pid()];
      return "redis" in needs && redis !== undefined ? [redis.pid] : [];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function missing(what: string): void {
  process.stderr.write(`\n*** ${what}; its figures are missing below.\n\n`);
}

async function freshDatabase({ url }: Cluster, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}
