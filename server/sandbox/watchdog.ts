import { readFile } from "node:fs/promises";

const pollMs = 100;
const pageBytes = 4096;
/** Linux counts a process's time in hundredths of a second. */
const tickMs = 10;
/** What a runner needs besides the job's heap: node itself, compiled code, and garbage on its way out. */
const overheadMb = 192;

/**
 * Watches a runner from outside: calls `onTimeout` when time is up, `onCpu` when it has computed for too long, and `onMemory` when
 * the process holds clearly more memory than the job may use. The last two are read from /proc, so on Linux alone; elsewhere wall
 * time and V8's own limit stand by themselves.
 */
export function startWatchdog(options: {
  pid: number;
  limits: Readonly<{ timeoutMs: number; cpuMs: number; memoryMb: number }>;
  onTimeout(): void;
  onCpu(): void;
  onMemory(): void;
}): Disposable {
  const { pid, limits } = options;
  const timer = setTimeout(options.onTimeout, limits.timeoutMs);
  const limitBytes = (limits.memoryMb * 1.25 + overheadMb) * 1024 * 1024;
  let polling = false;
  let baseMs: number | undefined;
  const poll = async () => {
    if (polling) return;
    polling = true;
    const [resident, usedMs] = await Promise.all([residentBytes(pid), cpuMs(pid)]);
    polling = false;
    // What came before, such as starting the process, is not the job's.
    baseMs ??= usedMs;
    if (resident > limitBytes) options.onMemory();
    else if (baseMs !== undefined && usedMs !== undefined && usedMs - baseMs > limits.cpuMs) options.onCpu();
  };
  const isLinux = process.platform === "linux";
  if (isLinux) void poll();
  const interval = isLinux ? setInterval(() => void poll(), pollMs) : undefined;
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

/** Milliseconds that all threads of the process have computed for; undefined where it is gone. proc(5), fields 14 and 15. */
async function cpuMs(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return undefined;
  }
}
