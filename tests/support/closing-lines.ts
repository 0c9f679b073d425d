import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with one line per suite: `unit: 120 passed, 0 failed, 1 skipped`. */
export default class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = new Map<string, { passed: number; failed: number; skipped: number }>();
    for (const module of modules) {
      const counts = suites.get(module.project.name) ?? { passed: 0, failed: 0, skipped: 0 };
      suites.set(module.project.name, counts);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") counts[state] += 1;
      }
      // A file that did not even load has no tests to count.
      if (module.state() === "failed" && module.errors().length > 0) counts.failed += 1;
    }
    for (const [name, { passed, failed, skipped }] of suites) {
      process.stdout.write(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    }
  }
}
