import { listDefinitions } from "../definitions/read-definitions.ts";
import { UserError } from "../errors.ts";
import type { JobsDeps } from "../jobs/jobs-deps.ts";
import type { Row } from "../store/tables.ts";
import type { Catalogue, Offer } from "./catalogue.ts";

export type CatalogueDeps = Pick<JobsDeps, "store" | "approvals">;

/** What a plan of such an origin may name: roles, jobs that let it in, and commands, each with whether it is signed. */
export async function readCatalogue(deps: CatalogueDeps, origin: Row<"plans">["origin"]): Promise<Catalogue> {
  const [roles, commands] = [await definitionsOf(deps, "role"), await definitionsOf(deps, "command")];
  return { roles, jobs: await jobsFor(deps, origin), commands };
}

async function definitionsOf(deps: CatalogueDeps, kind: "role" | "command"): Promise<Offer[]> {
  const found = await listDefinitions(deps, kind);
  return found
    .filter(({ path }) => path !== null)
    .map(({ name, description, active }) => ({ name, description, signed: active !== null }));
}

async function jobsFor({ store, approvals }: CatalogueDeps, origin: Row<"plans">["origin"]): Promise<Offer[]> {
  const rows = await store.db.selectFrom("jobs").select("name").where("state", "=", "active").orderBy("name").execute();
  const offers = await Promise.all(
    rows.map(async ({ name }): Promise<Offer[]> => {
      try {
        const { description, callers } = await approvals.requireManifest(name);
        return callers.includes(origin) ? [{ name, description, signed: true }] : [];
      } catch (thrown) {
        // What is not approved, or does not verify, is there but not signed.
        if (thrown instanceof UserError) return [{ name, description: "", signed: false }];
        throw thrown;
      }
    }),
  );
  return offers.flat();
}
