import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { sep } from "node:path";
import { watch } from "chokidar";
import { messageOf } from "../errors.ts";
import type { Diagnostic } from "../jobs/diagnostic.ts";
import type { Log } from "../log.ts";
import type { Approvals } from "../review/approvals.ts";
import { subjectNoun } from "../review/subject.ts";
import { raiseAlert, resolveAlert } from "../runs/alerts.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { DefinitionsOnDisk } from "./collect-definitions.ts";
import { type DefinitionPlaces, findDefinitions } from "./find-definitions.ts";
import { markGone, readFileRows, storeDefinitions } from "./store-definitions.ts";

export type DefinitionsWatch = AsyncDisposable &
  Readonly<{
    /** Files that were not accepted. */
    problems(): ReadonlyMap<string, readonly Diagnostic[]>;
    /** Looks at everything once more; settles when it is stored or told as a problem. */
    sync(): Promise<void>;
  }>;

type Deps = Readonly<{ store: Store; approvals: Approvals; log: Log; clock: () => Date }>;

/** How long the folders must be quiet before they are read: editors and git write several files, and some in pieces. */
const quietMs = 150;

/**
 * Keeps the store in step with roles, skills, MCP servers and commands on disk: what is saved becomes a version that waits, what fails
 * is told as a problem, and what was deleted is not used. Resolves when all of it was read once.
 */
export async function watchDefinitions(deps: Deps, places: DefinitionPlaces): Promise<DefinitionsWatch> {
  const { log } = deps;
  const { home, skillPaths } = places;
  for (const folder of [home.roles, home.skills]) {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) =>
      log.warn({ err: error }, "definitions: no folder for them"),
    );
  }
  let problems: DefinitionsOnDisk["problems"] = new Map();
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();
  let closed = false;

  const sync = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    work = work.then(async () => {
      if (closed) return;
      const now = await findDefinitions(places);
      await keepInStep(deps, places, now);
      await tellProblems(deps, problems, now.problems);
      problems = now.problems;
    });
    work = work.catch((error: unknown) => log.error({ err: error }, "definitions could not be read"));
    return work;
  };

  const watched = [home.roles, home.skills, ...skillPaths];
  const watcher = watch([home.root, ...skillPaths], {
    // Of the home folder, what may hold definitions and nothing else: it has logs and a database in it, too.
    ignored: (path) =>
      /(^|[\\/])(node_modules|\.[^\\/]*)$/.test(path.slice(home.root.length)) ||
      !(
        [home.root, home.mcpServers, home.commands].includes(path) ||
        watched.some((folder) => path === folder || path.startsWith(`${folder}${sep}`))
      ),
    followSymlinks: false,
    ignoreInitial: true,
    depth: 6,
    awaitWriteFinish: { stabilityThreshold: quietMs, pollInterval: 50 },
  });
  watcher.on("all", () => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void sync(), quietMs);
  });
  watcher.on("error", (error) => log.warn({ err: messageOf(error) }, "definitions cannot be watched"));
  await new Promise<void>((ready) => watcher.once("ready", ready));
  await sync();

  return {
    problems: () => problems,
    sync,
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await watcher.close();
      await work;
    },
  };
}

/** Which machine's folder a file is in; what comes with the program is everybody's. */
function folderOf(origin: Row<"definition_files">["origin"], root: string): string {
  return origin === "shipped" ? "shipped" : `${hostname()}:${root}`;
}

async function keepInStep(deps: Deps, { home }: DefinitionPlaces, now: DefinitionsOnDisk): Promise<void> {
  const { store, approvals, clock, log } = deps;
  const own = folderOf("home", home.root);
  const rows = await readFileRows(store.db);
  // What another machine's home folder has is that machine's to change.
  const isOurs = (row: Row<"definition_files"> | undefined) =>
    row === undefined || row.path === null || row.folder === own || row.origin === "shipped";
  const ours = now.found.filter((each) => isOurs(rows.get(`${each.kind}:${each.name}`)));
  const made = await storeDefinitions({ store, approvals }, ours, {
    folderOf: (origin) => folderOf(origin, home.root),
    now: clock(),
  });
  if (made.length > 0) log.info({ definitions: made.length }, "definitions: new versions wait for a signature");
  for (const [id, row] of rows) {
    const alert = `definition:${id}:gone`;
    if (now.seen.has(id)) {
      if (row.path === null) await resolveAlert(store.db, { key: alert, now: clock() });
      continue;
    }
    // What an earlier release came with stays: a later one may share the store with it.
    if (row.path === null || row.origin === "shipped" || now.unread.has(row.kind) || !isOurs(row)) continue;
    await markGone(store, row, clock());
    log.info({ id, path: row.path }, "definitions: the file was deleted, so it is not used");
    if ((await approvals.standing()).problem !== null || (await approvals.activeOf(row)) === undefined) continue;
    const message = `The file of ${subjectNoun(row)} was deleted (${row.path}): it is not used until it is back.`;
    await raiseAlert(store.db, { key: alert, message, now: clock() });
  }
}

function openKeys(db: Db) {
  return db
    .selectFrom("alerts")
    .select("key")
    .where("key", "like", "definition-file:%")
    .where("resolved_at", "is", null)
    .execute();
}

/** One alert per file that was not accepted, until it is. */
async function tellProblems(
  { store, log, clock }: Deps,
  before: DefinitionsOnDisk["problems"],
  now: DefinitionsOnDisk["problems"],
): Promise<void> {
  const key = (file: string) => `definition-file:${file.slice(-150)}`;
  const wrong = new Set([...now.keys()].map(key));
  // Of the store, since a mistake may have been corrected while nothing watched.
  for (const { key: open } of await openKeys(store.db)) {
    if (!wrong.has(open)) await resolveAlert(store.db, { key: open, now: clock() });
  }
  for (const [file, list] of now) {
    const [first] = list;
    if (first === undefined || JSON.stringify(before.get(file)) === JSON.stringify(list)) continue;
    const message = `${file}:${first.line} ${first.message}`;
    log.warn({ problem: message }, "definitions: a file was not accepted; what is signed stays in use");
    await raiseAlert(store.db, { key: key(file), message: `Not accepted: ${message}`, now: clock() });
  }
}
