import { createServer } from "node:http";

/** An HTTP server that never answers and tells who has called. */
export async function holdServer() {
  const waiting = new Map<string, Set<() => void>>();
  const server = createServer((request) => {
    for (const arrived of [...(waiting.get(request.url ?? "") ?? [])]) arrived();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;
  let places = 0;
  return {
    url: () => `http://127.0.0.1:${port}/${places++}`,
    /** Resolves when so many requests for a URL have come from now on. */
    arrivals(url: string, count: number): Promise<void> {
      const { pathname } = new URL(url);
      const those = waiting.get(pathname) ?? new Set();
      waiting.set(pathname, those);
      return new Promise((resolve) => {
        let left = count;
        const arrived = () => {
          if (--left > 0) return;
          those.delete(arrived);
          resolve();
        };
        those.add(arrived);
      });
    },
    /** Breaks every connection, so that runs which are held end. */
    letGo: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
