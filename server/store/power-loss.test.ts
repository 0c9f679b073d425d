import {
  cpSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { unsyncedPglite } from "../../tests/support/store.ts";
import { shortenLog, vacuumTables } from "./embedded-upkeep.ts";
import { openPglite } from "./open-pglite.ts";
import { type Db, pgliteStore } from "./open-store.ts";

/*
 * The database runs on a disk that forgets what was not synced: of each file of the log it keeps what was there when a sync of it ended,
 * while all other files are as they were written last, which is the worst that they can be for a log that lags behind.
 */
const isLinux = process.platform === "linux";
const cuts = 3;
const megabyte = 1024 * 1024;

/** Of a file, and how many looks at files came before. */
type Content = Readonly<{ bytes: Buffer; look: number }>;

function forgetfulDisk(dataDir: string) {
  const logFolder = join(dataDir, "pg_wal");
  const kept = new Map<number, Content>();
  let looks = 0;
  const logFiles = (folder: string) => readdirSync(folder).filter((name) => /^[0-9A-F]{24}$/.test(name));
  for (const name of logFiles(logFolder)) {
    const path = join(logFolder, name);
    kept.set(statSync(path).ino, { bytes: readFileSync(path), look: looks });
  }

  /** What a sync that begins now will have written. */
  function contentOf(fd: number): () => void {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    if (dirname(path) !== logFolder) return () => {};
    const { ino } = fstatSync(fd);
    looks += 1;
    const content = { bytes: readFileSync(path), look: looks };
    return () => {
      // A later sync may have ended sooner.
      if ((kept.get(ino)?.look ?? 0) < content.look) kept.set(ino, content);
    };
  }

  return {
    sync: (fd: number) => contentOf(fd)(),
    async syncBeside(fd: number) {
      const write = contentOf(fd);
      await sleep(Math.random() * 60);
      write();
    },
    /** What a machine finds that starts again. */
    cutPower(copy: string) {
      cpSync(dataDir, copy, { recursive: true });
      for (const name of logFiles(logFolder)) {
        const { ino, size } = statSync(join(logFolder, name));
        writeFileSync(join(copy, "pg_wal", name), kept.get(ino)?.bytes ?? Buffer.alloc(size));
      }
    },
  };
}

async function idsIn(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom("events").select("detail").execute();
  return new Set(rows.map(({ detail }) => detail ?? ""));
}

test.runIf(isLinux)(
  "what was acknowledged is there after a loss of power at any moment, whatever of the rest has reached the disk",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "jobrunner-power-"));
    const dataDir = join(folder, "data");
    const copies = Array.from({ length: cuts }, (_, n) => join(folder, `cut-${n}`));
    mkdirSync(dataDir, { mode: 0o700 });
    // With a log of small files, so that many are finished, renamed and used again.
    await (await pgliteStore(await unsyncedPglite(dataDir)))[Symbol.asyncDispose]();
    const disk = forgetfulDisk(dataDir);
    const acknowledged = new Set<string>();
    const known: Set<string>[] = [];
    {
      await using store = await pgliteStore(await openPglite(dataDir, disk));
      const { db } = store;
      let going = true;
      const write = async (writer: number) => {
        for (let n = 0; going; n += 1) {
          const detail = `${writer}.${n}`;
          const insert = (into: Db) =>
            into.insertInto("events").values({ kind: "k", actor: "a", subject: "s", detail }).execute();
          if (n % 3 === 0) await db.transaction().execute((trx) => insert(trx));
          else await insert(db);
          acknowledged.add(detail);
          await setImmediate();
        }
      };
      /** More than the database holds in memory, so that pages are written in the middle of everything. */
      const churn = async () => {
        for (let n = 0; going; n += 1) {
          const hash = `${n % 40}`;
          await sql`insert into blobs (hash, bytes) values (${hash}, ${randomText(megabyte)}::bytea)
            on conflict (hash) do update set bytes = excluded.bytes`.execute(db);
          // In between nothing but the log is written, which then lags behind.
          await sleep(40);
          if (n % 10 === 9) await shortenLog(db, 0);
          if (n % 25 === 24) await vacuumTables(db, "all");
        }
      };
      const work = [write(0), write(1), write(2), write(3), churn()];
      for (const copy of copies) {
        const enough = acknowledged.size + 10;
        while (acknowledged.size < enough) await sleep(5);
        await sleep(Math.random() * 300);
        known.push(new Set(acknowledged));
        disk.cutPower(copy);
      }
      going = false;
      await Promise.all(work);
    }
    for (const [n, copy] of copies.entries()) {
      await using store = await pgliteStore(await unsyncedPglite(copy));
      const found = await idsIn(store.db);
      const before = known[n] ?? new Set();
      expect([...before].filter((id) => !found.has(id))).toEqual([]);
      await sql`select sum(length(bytes)) from blobs`.execute(store.db);
    }
    rmSync(folder, { recursive: true });
  },
  120_000,
);

/** Text that does not compress. */
function randomText(chars: number): Buffer {
  return Buffer.from(Array.from({ length: chars / 8 }, () => Math.random().toString(36).slice(2, 10)).join(""));
}
