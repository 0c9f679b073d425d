import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../../server/log.ts";
import { sha256 } from "../../server/sha256.ts";
import { type Db, openStore } from "../../server/store/open-store.ts";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";

const source = (word: string) => `import { defineJob } from "jobrunner";
export default defineJob({ description: "a test", async run() { return "${word}"; } });
`;

/** Changes the database behind the daemon's back, as whoever can write to it could. */
async function tamper(home: E2eHome, change: (db: Db) => Promise<unknown>): Promise<void> {
  must(await home.jr(["stop"]));
  const dataDir = join(home.env.JOBRUNNER_HOME ?? "", "data");
  await using store = await openStore({ dataDir, databaseUrl: home.env.DATABASE_URL ?? null, log: silentLog });
  await change(store.db);
}

/** What is done to an approved v1 and a waiting v2, and the code with which a run is then refused. */
const cases: [what: string, change: (db: Db) => Promise<unknown>, code: string][] = [
  [
    "a swapped bundle",
    async (db) => {
      const bytes = Buffer.from('module.exports = { default: { run: () => "evil" } };');
      const { bundle_hash } = await db
        .selectFrom("versions")
        .select("bundle_hash")
        .where("number", "=", 1)
        .executeTakeFirstOrThrow();
      await db.updateTable("blobs").set({ bytes }).where("hash", "=", bundle_hash).execute();
    },
    "approval_invalid",
  ],
  [
    "a manifest with more permissions",
    async (db) => {
      const row = await db.selectFrom("versions").select("manifest").where("number", "=", 1).executeTakeFirstOrThrow();
      const manifest = row.manifest.replace('"net":[]', '"net":[{"host":"example.org","port":null,"private":false}]');
      await db
        .updateTable("versions")
        .set({ manifest, manifest_hash: sha256(manifest) })
        .where("number", "=", 1)
        .execute();
    },
    "approval_invalid",
  ],
  ["a cut-off chain", (db) => db.deleteFrom("decisions").execute(), "chain_broken"],
];

test.each(cases)("%s does not run, and is reported", async (_, change, code) => {
  await using home = await e2eHome();
  home.setUpUnprotected();
  {
    await using host = await home.host();
    await host.mustCall("job_submit", { name: "test", source: source("good") });
    must(await home.approve("test"));
    expect((await host.call("job_run", { name: "test", wait_seconds: 30 })).text).toContain("good");
  }
  await tamper(home, change);
  await using host = await home.host();
  const refused = await host.call("job_run", { name: "test", wait_seconds: 30 });
  expect(refused.text).toContain(code);
  expect(refused.isError).toBe(true);
  expect((await host.call("status")).text).toMatch(/chain|approval/i);
});

test("a forged approval of a waiting version, and an old decision replayed, change nothing", async () => {
  await using home = await e2eHome();
  home.setUpUnprotected();
  {
    await using host = await home.host();
    await host.mustCall("job_submit", { name: "test", source: source("good") });
    must(await home.approve("test"));
    await host.mustCall("job_submit", { name: "test", source: source("evil") });
  }
  await tamper(home, async (db) => {
    const [signed] = await db.selectFrom("decisions").selectAll().orderBy("seq", "desc").limit(1).execute();
    if (!signed) throw new Error("no decision");
    const { seq: _, created_at: __, ...row } = signed;
    const forged = { ...row, version: 2, text: row.text.replace("version: 1", "version: 2"), previous: row.hash };
    await db
      .insertInto("decisions")
      .values({ ...forged, hash: sha256("forged") })
      .execute();
    await db
      .insertInto("decisions")
      .values({ ...row, hash: sha256("replayed"), previous: sha256("forged") })
      .execute();
    await db.updateTable("versions").set({ state: "approved" }).where("number", "=", 2).execute();
  });
  await using host = await home.host();
  const ran = await host.call("job_run", { name: "test", wait_seconds: 30 });
  expect(ran.text).toContain("good");
  expect(ran.text).not.toContain("evil");
});
