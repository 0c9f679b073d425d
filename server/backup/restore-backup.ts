import { createWriteStream, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { holdRestoredAgents } from "../agents/hold-restored-agents.ts";
import { type Config, loadConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { manifestSchema } from "../jobs/manifest.ts";
import type { Log } from "../log.ts";
import { personCommand } from "../person-command.ts";
import { holdRestoredPlans } from "../plans/hold-restored-plans.ts";
import { findActive } from "../review/chain.ts";
import { readChainHead } from "../review/chain-head.ts";
import { recordEvent } from "../runs/events.ts";
import { type HeldRuns, holdRestoredRuns, releaseRuns } from "../runs/hold-restored-runs.ts";
import { createLoader, setNext } from "../store/load-store.ts";
import { migrate } from "../store/migrate.ts";
import type { Db } from "../store/open-store.ts";
import {
  discardStagedStore,
  findStore,
  openStagedStore,
  requireNoWorkers,
  type StorePlace,
} from "../store/staged-store.ts";
import { fileOfPart, tableOfPart, type WorkFolder } from "./archive-format.ts";
import { planFiles, planStrays } from "./plan-files.ts";
import { readArchive } from "./read-archive.ts";
import { carryOut, commitPlan, type RestorePlan, stagingFolder } from "./restore-plan.ts";
import { type TarEntry, wholeEntry } from "./tar.ts";
import { type VerifiedBackup, verifyBackup } from "./verify-backup.ts";

export type RestoreOptions = Readonly<{
  home: Home;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** Move aside what is in the way, rather than stop. */
  replace: boolean;
  /** The store alone, into the one that this home is set up for. */
  storeOnly: boolean;
  /** `resume` where nothing has happened since the backup: what was live goes on. */
  liveRuns: "ask" | "resume";
}>;

type Held = HeldRuns & Readonly<{ plans: readonly number[]; agents: readonly number[] }>;

export type RestoredBackup = Readonly<{
  backup: VerifiedBackup;
  config: Config;
  /** What was live when the backup was made, and is stopped; undefined where it goes on. */
  held: Held | undefined;
  /** Names that the active versions may use. */
  secrets: readonly string[];
  /** Folder with what was there before; null where nothing was. */
  aside: string | null;
  oldStore: string | undefined;
  /** The decision that this machine remembers and the restored store does not lead to. */
  lostHead: number | undefined;
}>;

const longestPart = 512 * 1024 * 1024;
/** At least so many run numbers are left out: some were given after the backup. */
const leastGap = 1_000;

/**
 * Puts a backup in the place of the home's store and files. Everything is verified first, then prepared beside what is there, and only
 * then renamed into place; a kill before that point leaves all as it was. The caller holds the home's lock. Throws `backup_damaged`,
 * `chain_broken`, `store_newer`, `store_not_empty`, `file_exists`.
 */
export async function restoreBackup(file: string, options: RestoreOptions): Promise<RestoredBackup> {
  const { home, env, log, replace, storeOnly } = options;
  const backup = await verifyBackup(file, home, options);
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const aside = join(home.root, `replaced-${stamp}`);
  const staging = stagingFolder(home);
  await using unfinished = new AsyncDisposableStack();
  unfinished.defer(() => rmSync(staging, { recursive: true, force: true }));
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true, mode: 0o700 });

  const config = configAfter(backup, options);
  const place: StorePlace = { dataDir: home.data, databaseUrl: config.databaseUrl };
  const files = storeOnly ? new Map<string, string>() : backup.files;
  const planned = planFiles(home, { files, jobsFolder: config.jobsFolder, staging, aside });
  await requireNoWorkers(place);
  const present = await findStore(place);
  if (!replace) requireRoom(home, present, planned.inTheWay);
  unfinished.defer(() => discardStagedStore(place));
  const { held, ids, secrets } = await prepare(file, backup, { place, staged: planned.staged, log, options });
  const strays = (["runs", "plans"] as const).flatMap((kind) =>
    planStrays(home, planned, { kind, isKnown: (id) => ids[kind].has(id), aside }),
  );
  const moves = [...planned.moves, ...strays];
  const lostHead = findLostHead(home, backup);

  const store = place.databaseUrl === null ? "pglite" : "postgres";
  const plan: RestorePlan = { file, store, databaseUrl: place.databaseUrl, aside, moves };
  commitPlan(home, plan);
  unfinished.move();
  const { oldStore } = await carryOut(home, plan);
  const kept = existsSync(aside) ? aside : null;
  return { backup, config: loadConfig(home, env), held, secrets, aside: kept, lostHead, oldStore };
}

/** The settings that count once the restore is done: the backup's own, where it brings some. */
function configAfter({ configText }: VerifiedBackup, { home, env, storeOnly }: RestoreOptions): Config {
  if (storeOnly || configText === undefined) return loadConfig(home, env);
  const path = join(stagingFolder(home), "settings.yaml");
  writeFileSync(path, configText, { mode: 0o600 });
  return loadConfig({ ...home, config: path }, env);
}

function requireRoom(home: Home, store: string | undefined, inTheWay: readonly string[]): void {
  if (store === undefined && inTheWay.length === 0) return;
  const found = [...(store === undefined ? [] : [store]), ...inTheWay];
  const shown = found.slice(0, 5).join(", ") + (found.length > 5 ? `, and ${found.length - 5} more` : "");
  throw new UserError(
    "store_not_empty",
    `There is something already where the backup belongs: ${shown}. Nothing was changed.`,
    {
      next: `${personCommand(home, "restore", "FILE", "--replace")} moves it aside, and deletes nothing${inTheWay.length === 0 ? "" : "; --store-only leaves the files as they are"}`,
    },
  );
}

type Preparing = Readonly<{
  place: StorePlace;
  staged: ReadonlyMap<string, string>;
  log: Log;
  options: RestoreOptions;
}>;

/** Writes everything beside what is there. */
async function prepare(file: string, backup: VerifiedBackup, { place, staged, log, options }: Preparing) {
  const { summary, parts, header } = backup;
  await using store = await openStagedStore(place, { log, upTo: summary.migrations.at(-1) });
  const { db } = store;
  const loader = await createLoader(db);
  await readArchive(
    file,
    async (part) => {
      const table = tableOfPart(part.name);
      const path = staged.get(part.name);
      if (table !== undefined) await loader.load({ table, lines: (await wholeEntry(part, longestPart)).toString() });
      else if (path !== undefined && fileOfPart(part.name)) await saveFile(part, path);
      else await skip(part);
    },
    parts,
  );
  await loader.finish(summary);
  await migrate(db);
  const held = await holdLive(db, backup, options);
  await db.updateTable("alert_lines").set({ held_until: null }).execute();
  await recordEvent(db, {
    kind: "store.restored",
    actor: "person",
    subject: "store",
    detail: { made_at: header.createdAt, made_by: header.program, host: header.host, live_runs: options.liveRuns },
    traceId: null,
  });
  const ids = { runs: await idsOf(db, "runs"), plans: await idsOf(db, "plans") };
  return { held, ids, secrets: await usedSecrets(db, backup) };
}

async function idsOf(db: Db, table: WorkFolder): Promise<Set<number>> {
  const rows = await db.selectFrom(table).select("id").execute();
  return new Set(rows.map(({ id }) => id));
}

async function usedSecrets(db: Db, { chain }: VerifiedBackup): Promise<string[]> {
  const versions = await db.selectFrom("versions").select(["job", "number", "manifest"]).execute();
  const names = versions.flatMap(({ job, number, manifest }) => {
    if (findActive(chain, "job", job)?.decision.version !== number) return [];
    return Object.keys(manifestSchema.safeParse(JSON.parse(manifest)).data?.permissions.secrets ?? {});
  });
  return [...new Set(names)].sort();
}

async function holdLive(
  db: Db,
  { header, summary, chain }: VerifiedBackup,
  { liveRuns }: RestoreOptions,
): Promise<Held | undefined> {
  if (liveRuns === "resume") {
    await releaseRuns(db);
    return undefined;
  }
  // Whatever was done under a number after the backup, no other run gets it, and no other request its idempotency key.
  for (const table of ["runs", "plans"] as const) {
    const found = summary.identities.find((each) => each.table === table && each.column === "id");
    const next = found?.next ?? 1;
    await setNext(db, table, "id", next + Math.max(leastGap, next));
  }
  const plans = await holdRestoredPlans(db);
  const agents = await holdRestoredAgents(db);
  const runs = await holdRestoredRuns(db, {
    madeAt: new Date(header.createdAt),
    activeVersion: (job) => findActive(chain, "job", job)?.decision.version ?? undefined,
  });
  return { ...runs, plans, agents };
}

/** A machine that remembers a later decision than the backup holds must not forget it unseen. */
function findLostHead(home: Home, { chain }: VerifiedBackup): number | undefined {
  const head = readChainHead(home);
  const isKnown =
    head === undefined || head.seq === 0 || chain.hashes.has(head.hash) || chain.acceptedHeads.has(head.hash);
  return isKnown ? undefined : head.seq;
}

async function saveFile(part: TarEntry, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await pipeline(Readable.from(part.content), createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }));
}

async function skip({ content }: TarEntry): Promise<void> {
  for await (const _ of content);
}
