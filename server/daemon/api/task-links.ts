import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { sql } from "kysely";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { linkTask, unlinkTask } from "../../tasks/github/link-task.ts";
import type { DaemonDeps } from "../deps.ts";
import type { GithubSync } from "../sync-github.ts";
import { parseBody } from "./parse.ts";

const empty = z.strictObject({});
const linkBody = z.strictObject({ repo: z.string().max(200), number: z.int().positive().nullable() });

/** Tasks that are issues, too: which repositories there are and how they stand, and linking by hand. */
export function taskLinksApi({ store, config }: Pick<DaemonDeps, "store" | "config">, github: GithubSync): Hono {
  const { db } = store;
  const repos = config.tasks.github;
  const by = () => ({ actor: "person", traceId: randomUUID() });

  async function standing() {
    const rows = await db.selectFrom("task_repos").selectAll().execute();
    const counts = await db
      .selectFrom("task_links")
      .select([
        "repo",
        sql<number>`count(number)::integer`.as("linked"),
        sql<number>`(count(*) - count(number))::integer`.as("waiting"),
      ])
      .groupBy("repo")
      .execute();
    return repos.map(({ repo, direction, labels }) => {
      const row = rows.find((each) => each.repo === repo);
      const count = counts.find((each) => each.repo === repo);
      return {
        repo,
        direction,
        labels,
        linked: count?.linked ?? 0,
        waiting: count?.waiting ?? 0,
        synced_at: row?.synced_at ?? null,
        problem: row?.problem ?? null,
        wait_until: row?.wait_until ?? null,
      };
    });
  }

  return new Hono()
    .get("/api/task-links", async (c) => c.json({ repos: await standing() }))
    .post("/api/task-links/sync", async (c) => {
      await parseBody(c, empty);
      await github.syncNow();
      return c.json({ repos: await standing() });
    })
    .post("/api/tasks/:task/link", async (c) => {
      const { repo, number } = await parseBody(c, linkBody);
      if (!repos.some((each) => each.repo === repo)) {
        const known = repos.map((each) => each.repo).join(", ") || "none";
        throw new UserError(
          "invalid_argument",
          `tasks.github of config.yaml does not name ${repo}; it names ${known}.`,
        );
      }
      await linkTask(db, { id: c.req.param("task"), repo, number, by: by() });
      return c.json({});
    })
    .post("/api/tasks/:task/unlink", async (c) => {
      await parseBody(c, empty);
      await unlinkTask(db, { id: c.req.param("task"), by: by() });
      return c.json({});
    });
}
