/** How long esbuild's process stays after the last build: about 40 MB, and 20 ms to start anew. */
const idleMs = 15_000;

/* esbuild keeps one process for the whole of ours, so what counts its users is kept for the whole, too. */
let users = 0;
let idle: NodeJS.Timeout | undefined;

/** Lends esbuild, which is loaded on the first call; its process ends some seconds after the last one. */
export async function withEsbuild<T>(work: (esbuild: typeof import("esbuild")) => Promise<T>): Promise<T> {
  users += 1;
  clearTimeout(idle);
  const esbuild = await import("esbuild");
  try {
    return await work(esbuild);
  } finally {
    users -= 1;
    if (users === 0) idle = setTimeout(() => void esbuild.stop(), idleMs).unref();
  }
}
