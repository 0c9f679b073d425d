import { monitorEventLoopDelay } from "node:perf_hooks";

/** How this process fares. */
export type ProcessHealth = Readonly<{
  memory_bytes: number;
  heap_bytes: number;
  cpu_seconds: number;
  /** How late timers came since the last look. */
  event_loop_seconds: Readonly<{ p50: number; p99: number; max: number }>;
}>;

const resolutionMs = 10;

/** Watches the event loop until it is disposed. Each look tells of the time since the one before. */
export function watchProcess(): Disposable & Readonly<{ look(): ProcessHealth }> {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  // It measures the whole time between two of its own timers; what is beyond their distance is delay.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1_000);
  return {
    look() {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed } = process.memoryUsage();
      const any = delays.count > 0;
      const at = (percentile: number) => (any ? seconds(delays.percentile(percentile)) : 0);
      const event_loop_seconds = { p50: at(50), p99: at(99), max: any ? seconds(delays.max) : 0 };
      delays.reset();
      return { memory_bytes: rss, heap_bytes: heapUsed, cpu_seconds: (user + system) / 1e6, event_loop_seconds };
    },
    [Symbol.dispose]: () => void delays.disable(),
  };
}
