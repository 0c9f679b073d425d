import { Command } from "commander";
import { migrateStore } from "../backup/migrate-store.ts";
import { requireNoUnfinishedRestore } from "../backup/restore-plan.ts";
import { loadConfig } from "../config.ts";
import { databaseUrl as databaseUrlSchema } from "../config-schema.ts";
import { lockHome } from "../daemon/lock.ts";
import { rememberStore, requireSameStore } from "../daemon/remember-store.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { personCommand } from "../person-command.ts";
import { type CliContext, print } from "./context.ts";

/** `jr migrate-store --to postgres://…`: everything into the other kind of store. */
export function command(context: CliContext): Command {
  return new Command("migrate-store")
    .description("move everything to PostgreSQL, or back; the old store is kept")
    .requiredOption("--to <place>", "postgres://… of an empty database, or embedded")
    .action(({ to }: { to: string }) => move(context, to));
}

async function move(context: CliContext, to: string): Promise<void> {
  const { home, env } = context;
  using _lock = lockHome(home);
  requireNoUnfinishedRestore(home);
  const { databaseUrl } = loadConfig(home, env);
  requireSameStore(home, databaseUrl);
  const target = parseTarget(to);
  if ((databaseUrl === null) === (target === null)) {
    const where = databaseUrl === null ? "embedded" : "in a PostgreSQL";
    throw new UserError("invalid_argument", `The store of this home is ${where} already.`, {
      next:
        databaseUrl === null
          ? "--to postgres://…"
          : "from one PostgreSQL to another: jr backup, then jr restore --store-only there",
    });
  }
  const place = (url: string | null) => ({ dataDir: home.data, databaseUrl: url });
  const { summary, old } = await migrateStore(
    { home, log: silentLog, onCopied: (kind) => rememberStore(home, kind) },
    place(databaseUrl),
    place(target),
  );
  const rows = summary.tables.reduce((sum, table) => sum + table.rows, 0);
  print(context, `Copied and compared: ${rows} rows of ${summary.tables.length} tables, each the same in both.`);
  print(context, `The old store is kept, and not used any more: ${old}`);
  print(context, target === null ? unset(env) : set(env));
  print(context, `Next, once that is done: ${personCommand(home, "start")}`);

  function set({ DATABASE_URL }: NodeJS.ProcessEnv): string {
    const also = DATABASE_URL ? " (DATABASE_URL, which wins, is set here: correct it, too)" : "";
    return `Now name the new one in ${home.config}, or in DATABASE_URL wherever the daemon starts${also}:\n  store:\n    url: ${withoutPassword(to)}`;
  }
  function unset({ DATABASE_URL }: NodeJS.ProcessEnv): string {
    const also = DATABASE_URL ? ", and DATABASE_URL out of the environment" : "";
    return `Now take store.url out of ${home.config}${also}.`;
  }
}

function parseTarget(to: string): string | null {
  if (to === "embedded") return null;
  const parsed = databaseUrlSchema.safeParse(to);
  if (parsed.success) return parsed.data;
  throw new UserError("invalid_argument", `"${to}" is neither embedded nor the address of a PostgreSQL.`, {
    next: "jr migrate-store --to postgres://user:password@host:5432/database",
  });
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password !== "") url.password = "PASSWORD";
  return url.href;
}
