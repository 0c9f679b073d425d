import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy that can stop carrying anything, as a cut network does: nobody is told, nothing arrives. */
export type SilentProxy = AsyncDisposable &
  Readonly<{
    port: number;
    silence(): void;
    /** Carries on; with `cut` the connections that were there are gone. */
    resume(options: { cut: boolean }): void;
  }>;

export async function silentProxy(targetPort: number): Promise<SilentProxy> {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on("drain", () => {
        if (!silent) from.resume();
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      if (silent) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    silence() {
      silent = true;
      for (const socket of sockets) socket.pause();
    },
    resume({ cut }) {
      silent = false;
      for (const socket of sockets) {
        if (cut) socket.destroy();
        else socket.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
