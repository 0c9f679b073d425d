import { readFileSync } from "node:fs";

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
  const isLinux = process.platform === "linux";
  // What came before, such as starting the process, is not the job's.
  const baseMs = isLinux ? cpuMs(pid) : undefined;
  const poll = () => {
    const usedMs = cpuMs(pid);
    if (residentBytes(pid) > limitBytes) options.onMemory();
    else if (baseMs !== undefined && usedMs !== undefined && usedMs - baseMs > limits.cpuMs) options.onCpu();
  };
  const interval = isLinux ? setInterval(poll, pollMs) : undefined;
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearInterval(interval);
    },
  };
}

/*
 * Read at once: what the kernel makes up waits for no disk, and by way of the thread pool each look costs many times as much.
 */
function residentBytes(pid: number): number {
  try {
    const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
    return Number(pages) * pageBytes;
  } catch {
    return 0; // Gone already: its exit tells more.
  }
}

/** Milliseconds that all threads of the process have computed for; undefined where it is gone. proc(5), fields 14 and 15. */
function cpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return undefined;
  }
}
