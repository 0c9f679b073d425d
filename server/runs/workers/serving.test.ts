import { describe, expect, test } from "vitest";
import { addJob, testManifest, testPermissions } from "../../../tests/support/runs.ts";
import { type StoreKind, testStore } from "../../../tests/support/store.ts";
import { addWorker, testWorker } from "../../../tests/support/workers.ts";
import { UserError } from "../../errors.ts";
import { silentLog } from "../../log.ts";
import type { Standing } from "../../review/approvals.ts";
import { genesis } from "../../review/canonical-text.ts";
import type { Link } from "../../review/chain.ts";
import { sha256 } from "../../sha256.ts";
import { notify, type Store } from "../../store/open-store.ts";
import type { Means } from "./needs.ts";
import { createServing } from "./serving.ts";
import { workersChannel } from "./worker-self.ts";

const secrets = { permissions: testPermissions({ secrets: { TOKEN: ["api.example.org"] } }) };
const soon = { timeout: 30_000 };
const good: Standing = { setUp: true, problem: null, strangers: new Set() };
const noTrust: Standing = { ...good, setUp: false };

/** The approval of version 1, as its row in the store has it. */
async function linkOf({ db }: Store, job: string, runtime = "guest-a"): Promise<Link> {
  const { manifest_hash: manifest } = await db
    .selectFrom("versions")
    .select("manifest_hash")
    .where("job", "=", job)
    .executeTakeFirstOrThrow();
  const hash = sha256("");
  return {
    seq: 1,
    hash,
    keyId: "k",
    counts: true,
    reason: null,
    decision: {
      ...{ kind: "job", name: job, version: 1, source: hash, bundle: hash, manifest, compiler: "test", runtime },
      ...{ decision: "approve", subject: null, note: null, time: "", previous: genesis, key: "" },
    },
  };
}

/** A worker without secrets, with the label `linux`; `say` changes what the approvals say, and it looks again. */
async function serve(kind: StoreKind, role: "daemon" | "worker" = "worker") {
  const store = await testStore(kind);
  const said = { live: [] as Link[], standing: good };
  const changed = new Set<(job: string) => void>();
  const means = (): Means => ({
    labels: new Set(["linux"]),
    hasSecret: () => false,
    hasTarget: () => true,
    hasModel: async () => true,
    hasPath: async () => true,
    hasProgram: async () => true,
  });
  const serving = await createServing({
    store,
    approvals: {
      live: async () => said.live,
      standing: async () => said.standing,
      onChange: (callback) => {
        changed.add(callback);
        return () => changed.delete(callback);
      },
    },
    self: testWorker("me", { role }),
    means,
    trustHint: "Trust one.",
    log: silentLog,
  });
  const say = (more: Partial<typeof said>) => {
    Object.assign(said, more);
    for (const callback of changed) callback("job");
  };
  const close = async () => {
    await serving[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  return { store, serving, say, [Symbol.asyncDispose]: close };
}

describe("a machine alone", () => {
  test("holds back what asks for a label that it lacks; what else it lacks is told by the run itself", async () => {
    await using it = await serve("pglite", "daemon");
    const { store, serving, say } = it;
    await addJob(store.db, "gpu", { runsOn: ["gpu"] });
    await addJob(store.db, "secret", secrets);
    say({ live: [await linkOf(store, "gpu"), await linkOf(store, "secret")] });
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: ["gpu"], fresh: [] });
    expect(await serving.unmet("secret", testManifest(secrets))).toEqual([]);
    expect(await serving.unmet("gpu", testManifest({ runsOn: ["gpu"] }))).toEqual([{ kind: "label", name: "gpu" }]);
  });

  test("a daemon that trusts no key refuses runs, which tells; it does not leave them to nobody", async () => {
    await using it = await serve("pglite", "daemon");
    it.say({ standing: noTrust });
    expect(await it.serving.unmet("a", new UserError("not_approved", "no"))).toEqual([]);
    expect(it.serving.report().problem).toBeNull();
  });
});

describe("a machine among others, on PostgreSQL", () => {
  test("leaves to others what it lacks, and takes it once it is what they were", async () => {
    await using it = await serve("postgres");
    const { store, serving, say } = it;
    await addJob(store.db, "secret", secrets);
    await addJob(store.db, "plain");
    say({ live: [await linkOf(store, "secret"), await linkOf(store, "plain")] });
    await addWorker(store.db, testWorker("other"));
    await notify(store.db, workersChannel);
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: ["secret"], fresh: [] });
    expect(serving.report()).toEqual({ problem: null, unserved: { secret: [{ kind: "secret", name: "TOKEN" }] } });
    await store.db.deleteFrom("workers").execute();
    await notify(store.db, workersChannel);
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: [], fresh: [] });
  });

  test("takes nothing without a trusted key, and says what to do; takes runs again once there is one", async () => {
    await using it = await serve("postgres");
    const { serving, say } = it;
    say({ standing: noTrust });
    await expect.poll(() => serving.except(), soon).toBeNull();
    expect(serving.report().problem).toBe("it trusts no key. Trust one.");
    expect(await serving.unmet("a", new UserError("not_approved", "no"))).toEqual([{ kind: "approval", name: "" }]);
    say({ standing: good });
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: [], fresh: [] });
  });

  test("leaves jobs of a key that it does not trust to those that do", async () => {
    await using it = await serve("postgres");
    const { store, serving, say } = it;
    await addJob(store.db, "theirs");
    await addWorker(store.db, testWorker("other"));
    say({ standing: { ...good, strangers: new Set(["theirs"]) } });
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: ["theirs"], fresh: [] });
    expect(await serving.unmet("theirs", new UserError("not_approved", "no"))).toHaveLength(1);
    expect(await serving.unmet("nobody's", new UserError("not_approved", "no"))).toEqual([]);
  });

  test("does not begin what a newer release made: unknown words in a manifest, or a guest runtime that another has", async () => {
    await using it = await serve("postgres");
    const { store, serving, say } = it;
    for (const job of ["words", "runtime", "same"]) await addJob(store.db, job);
    const text = JSON.stringify({ ...testManifest(), telepathy: true });
    await store.db
      .updateTable("versions")
      .set({ manifest: text, manifest_hash: sha256(text) })
      .where("job", "=", "words")
      .execute();
    const live = [await linkOf(store, "words"), await linkOf(store, "runtime", "guest-b"), await linkOf(store, "same")];
    // Nobody has guest-b: the newest runtime that there is will do.
    await addWorker(store.db, testWorker("other"));
    say({ live });
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: [], fresh: ["words"] });
    expect(await serving.unmet("words", new UserError("version_newer", "no"))).toEqual([{ kind: "release", name: "" }]);
    await addWorker(store.db, testWorker("newer", { guestRuntimes: ["guest-b", "guest-a"] }));
    await notify(store.db, workersChannel);
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: [], fresh: ["words", "runtime"] });
  });

  test("a retired job is left to nobody", async () => {
    await using it = await serve("postgres");
    const { store, serving, say } = it;
    await addJob(store.db, "old", { runsOn: ["gpu"], state: "retired" });
    await addJob(store.db, "gpu", { runsOn: ["gpu"] });
    say({ live: [await linkOf(store, "old"), await linkOf(store, "gpu")] });
    await expect.poll(() => serving.except(), soon).toEqual({ jobs: ["gpu"], fresh: [] });
  });
});
