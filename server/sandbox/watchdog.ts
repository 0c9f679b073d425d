import { readFile } from "node:fs/promises";

const pollMs = 100;
const pageBytes = 4096;
/** What a runner needs besides the job's heap: node itself, compiled code, and garbage on its way out. */
const overheadMb = 192;

/**
 * Watches a runner from outside: calls `onTimeout` when time is up, and `onMemory` when the process holds clearly more
 * memory than the job may use (read from /proc, so on Linux alone; elsewhere V8's own limit stands by itself).
 */
export function startWatchdog(options: {
  pid: number;
  timeoutMs: number;
  memoryMb: number;
  onTimeout(): void;
  onMemory(): void;
}): Disposable {
  const timer = setTimeout(options.onTimeout, options.timeoutMs);
  const limitBytes = (options.memoryMb * 1.25 + overheadMb) * 1024 * 1024;
  let polling = false;
  const poll = async () => {
    if (polling) return;
    polling = true;
    const resident = await residentBytes(options.pid);
    polling = false;
    if (resident > limitBytes) options.onMemory();
  };
  const interval = process.platform === "linux" ? setInterval(() => void poll(), pollMs) : undefined;
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearInterval(interval);
    },
  };
}

async function residentBytes(pid: number): Promise<number> {
  try {
    const [, pages = "0"] = (await readFile(`/proc/${pid}/statm`, "utf8")).split(" ");
    return Number(pages) * pageBytes;
  } catch {
    return 0; // Gone already: its exit tells more.
  }
}
