import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { fileExists } from "../backup/archive-writer.ts";
import { receiveStore } from "../backup/store-stream.ts";
import { type StoreSource, type WrittenBackup, writeBackup } from "../backup/write-backup.ts";
import { type Config, loadConfig } from "../config.ts";
import { isLocked, lockHome } from "../daemon/lock.ts";
import { requireSameStore } from "../daemon/remember-store.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { publicKeyOf, readKeyFile } from "../review/key-file.ts";
import { dumpStore } from "../store/dump-store.ts";
import { openStoreAsIs } from "../store/staged-store.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";

type Options = { keys: boolean; artifacts: boolean; withSecrets?: boolean };

/** `jr backup FILE`: the store as of one moment and what of the home a restore needs, in one file. */
export function command(context: CliContext): Command {
  return new Command("backup")
    .description("write one file from which everything can be restored; works while jobs run")
    .argument("[file]", "not over anything; jobrunner-TIME.tar.gz here unless named")
    .option("--without-keys", "leave out the signing key and the trusted keys")
    .option("--without-artifacts", "leave out the files that runs left")
    .option("--with-secrets", "put the values of secrets and the bearer tokens into it, unencrypted")
    .action(
      (
        file: string | undefined,
        options: { withoutKeys?: boolean; withoutArtifacts?: boolean; withSecrets?: boolean },
      ) =>
        backUp(context, file, {
          keys: options.withoutKeys !== true,
          artifacts: options.withoutArtifacts !== true,
          withSecrets: options.withSecrets === true,
        }),
    );
}

async function backUp(context: CliContext, given: string | undefined, options: Options): Promise<void> {
  const { home, env, signal } = context;
  const isElsewhere = Boolean(env.JOBRUNNER_URL);
  if (isElsewhere && options.withSecrets) {
    throw new UserError("unsupported", "Secrets of a daemon elsewhere are not handed out.", {
      next: "run jr backup --with-secrets on that machine",
    });
  }
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  const file = resolve(given ?? `jobrunner-${stamp}.tar.gz`);
  if (existsSync(file)) throw statSync(file).isDirectory() ? isFolder(file) : fileExists(file);
  const config = loadConfig(home, env);
  await using stack = new AsyncDisposableStack();
  const source = isElsewhere || isLocked(home) ? await fromDaemon(context) : await fromStore(config, stack);
  const written = await writeBackup(
    file,
    source,
    {
      home: isElsewhere ? undefined : home,
      jobsFolder: config.jobsFolder,
      keys: options.keys,
      secrets: options.withSecrets === true,
      artifacts: options.artifacts,
    },
    signal,
  );
  report(context, file, written, options);
}

async function fromDaemon(context: CliContext): Promise<StoreSource> {
  const client = await connectDaemon(context);
  const { headers, body } = await client.stream("/api/backup/store");
  return {
    kind: headers.get("x-jobrunner-store") === "postgres" ? "postgres" : "pglite",
    dump: (write) => receiveStore(asBuffers(body), write),
  };
}

async function fromStore(config: Config, stack: AsyncDisposableStack): Promise<StoreSource> {
  const { home, databaseUrl } = config;
  stack.use(lockHome(home));
  requireSameStore(home, databaseUrl);
  const store = stack.use(await openStoreAsIs({ dataDir: home.data, databaseUrl }, silentLog));
  return { kind: store.kind, dump: (write) => dumpStore(store.db, write) };
}

async function* asBuffers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function report(context: CliContext, file: string, { header, summary, bytes }: WrittenBackup, options: Options): void {
  const rowsOf = (table: string) => summary.tables.find(({ name }) => name === table)?.rows ?? 0;
  print(context, file);
  const size = bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  say(
    context,
    `${size}: ${rowsOf("jobs")} jobs, ${rowsOf("runs")} runs, ${rowsOf("decisions")} decisions as of ${header.createdAt}.`,
  );
  const { holds } = header;
  say(context, `Besides the store it holds: ${holds.length === 0 ? "nothing" : holds.join(", ")}.`);
  if (holds.length === 0)
    say(context, "Keys, settings, jobs and artifacts are files of that machine: run jr backup there.");
  const { approverKey } = context.home;
  if (holds.includes("keys") && existsSync(approverKey) && !publicKeyOf(readKeyFile(approverKey)).protected)
    say(
      context,
      "WARNING: your signing key in it is UNPROTECTED: whoever has this file can approve jobs in your name.",
    );
  if (options.withSecrets)
    say(
      context,
      "WARNING: it holds the values of your secrets and your bearer tokens, UNENCRYPTED. Keep it as you keep passwords.",
    );
  else if (holds.length > 0) say(context, "Values of secrets are not in it (--with-secrets).");
}

function isFolder(file: string): UserError {
  return new UserError("file_exists", `${file} is a folder.`, {
    next: `name a file, such as ${join(file, "jobrunner.tar.gz")}`,
  });
}
