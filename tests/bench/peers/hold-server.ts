import { createServer } from "node:http";

/** An HTTP server whose answers take until they are let go. */
export async function holdServer() {
  const waiting = new Map<string, () => void>();
  const held = new Set<() => void>();
  const server = createServer((request, response) => {
    const end = () => void response.end("go");
    held.add(end);
    response.once("close", () => held.delete(end));
    waiting.get(request.url ?? "")?.();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;
  let places = 0;
  return {
    url: () => `http://127.0.0.1:${port}/${places++}`,
    arrival: (url: string) => new Promise<void>((resolve) => waiting.set(new URL(url).pathname, resolve)),
    letGo() {
      for (const end of held) end();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
