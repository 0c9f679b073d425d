import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { personCommand } from "../person-command.ts";
import { splitLines } from "../split-lines.ts";
import { awaitSocket, type ConnectContext, connectOrStart } from "./mcp-connect.ts";
import { type Conversation, createConversation } from "./mcp-conversation.ts";

/*
 * `jr mcp`: carries lines between a host's stdio and the daemon's socket, starts the daemon where none runs, and goes on with
 * the next daemon when one ends, so that a host's session outlives restarts and upgrades.
 * A host starts this for every session and waits for it, so it imports node's own modules and nothing else that is heavy.
 */

/** What the bridge works with; a CliContext fits. */
export type BridgeContext = ConnectContext & Readonly<{ stdin: Readable; stdout: Writable }>;

/** A daemon that was stopped may be on its way back: `jr restart` takes so long at most. */
const restartMs = 15_000;

const cutOff =
  "JobRunner's daemon ended while this call was under way; whether it was done is not known. Look first (status and the tools that read), then call again if it was not.";

/** Serves one host until it leaves; resolves with the exit code. Whatever goes wrong is told on standard error. */
export async function runBridge(context: BridgeContext, patienceMs = restartMs): Promise<number> {
  const { stdin, stdout, stderr, home, signal } = context;
  const first = await connectOrStart(context);
  if (first === undefined) return 1;

  const talk = createConversation();
  const over = Promise.withResolvers<number>();
  let link: Link | undefined;
  let lost: Loss | undefined;
  let hostIsDone = false;
  const tell = (line: string) => stdout.writable && stdout.write(`${line}\n`);

  const use = (socket: Socket) => {
    const opened = openLink(socket, { stdout, talk });
    link = opened;
    opened.closed.then(() => {
      link = undefined;
      if (hostIsDone) return over.resolve(0);
      lost = { atMs: Date.now(), died: existsSync(home.info) };
      if (!talk.begun()) {
        stderr.write("jr mcp: the daemon closed the connection; reconnect to JobRunner in your host.\n");
        return over.resolve(1);
      }
      stderr.write("jr mcp: the daemon has ended; the next call goes to the one that runs then\n");
      for (const answer of talk.failWaiting(cutOff)) tell(answer);
    });
    return opened;
  };

  const forward = async (line: string) => {
    const found = link ?? (await rejoin());
    talk.fromHost(line);
    if (found !== undefined) return found.send(line);
    const why = `JobRunner was stopped on this machine, and no tool starts it again. The person: ${personCommand(home, "start")}`;
    for (const answer of talk.failWaiting(why)) tell(answer);
  };

  const rejoin = async (): Promise<Link | undefined> => {
    const socket =
      lost?.died === false ? await awaitSocket(context, lost.atMs + patienceMs) : await connectOrStart(context);
    if (socket === undefined) return undefined;
    const opened = use(socket);
    for (const line of talk.opening()) await opened.send(line);
    // It may be another release.
    tell(JSON.stringify({ jsonrpc: "2.0", method: "notifications/tools/list_changed" }));
    return opened;
  };

  const hostGone = () => {
    hostIsDone = true;
    if (link === undefined) over.resolve(0);
    else link.destroy();
  };
  stdout.once("error", hostGone);
  stdout.once("close", hostGone);
  signal.addEventListener("abort", hostGone, { once: true });

  use(first);
  if (signal.aborted) hostGone();
  carry(stdin, forward).then(() => {
    hostIsDone = true;
    // Half-closed, so that answers under way still arrive.
    if (link === undefined) over.resolve(0);
    else link.end();
  }, hostGone);

  const code = await over.promise;
  signal.removeEventListener("abort", hostGone);
  stdout.off("close", hostGone);
  // A host that keeps its end open would otherwise keep this process alive.
  stdin.destroy();
  if (stdout.writable) await new Promise<void>((resolve) => stdout.write("", () => resolve()));
  return code;
}

/** When the connection was lost, and whether its daemon was not stopped but died. */
type Loss = Readonly<{ atMs: number; died: boolean }>;

type Link = Readonly<{
  /** Resolves once it is on its way, or cannot be any more. */
  send(line: string): Promise<void>;
  end(): void;
  destroy(): void;
  closed: Promise<void>;
}>;

/** One daemon's connection: its lines go to the host as fast as that reads. */
function openLink(socket: Socket, { stdout, talk }: Readonly<{ stdout: Writable; talk: Conversation }>): Link {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const feed = lineFeed((line) => {
    if (!talk.fromDaemon(line) || !stdout.writable || stdout.write(`${line}\n`) || socket.isPaused()) return;
    socket.pause();
    stdout.once("drain", () => socket.resume());
  });
  socket.on("data", feed);
  socket.once("end", () => socket.end());
  // Whatever broke it, `close` follows.
  socket.once("error", () => undefined);
  socket.once("close", () => resolve());
  return {
    send: (line) =>
      new Promise((sent) => {
        if (socket.writable) socket.write(`${line}\n`, () => sent());
        else sent();
      }),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    closed,
  };
}

/** Hands on line after line, each when the one before is done with. Rejects where reading fails. */
async function carry(stdin: Readable, forward: (line: string) => Promise<void>): Promise<void> {
  let lines: string[] = [];
  const feed = lineFeed((line) => lines.push(line));
  for await (const chunk of stdin) {
    feed(chunk);
    const whole = lines;
    lines = [];
    for (const line of whole) await forward(line);
  }
}

/** Lines of any length: the daemon says what is too long. */
function lineFeed(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  return splitLines({ maxBytes: Number.POSITIVE_INFINITY, onLine, onTooLong: () => undefined });
}
