import type { FrozenSchedule, Manifest } from "../../../server/jobs/manifest.ts";
import type { SchedulerOptions } from "../../../server/runs/scheduler.ts";
import { testManifest } from "../runs.ts";

export type TestApprovals = SchedulerOptions["approvals"] &
  Readonly<{
    /** Makes a version with one schedule active, or none; tells those who follow. */
    approve(job: string, schedule: FrozenSchedule | undefined): number;
    version(job: string): number;
  }>;

/** Approvals as the scheduler asks for them; the real ones verify signatures, which is not what is tested here. */
export function testApprovals(): TestApprovals {
  const active = new Map<string, { version: number; manifest: Manifest | undefined }>();
  const followers = new Set<(job: string) => void>();
  const version = (job: string) => active.get(job)?.version ?? 0;
  return {
    version,
    approve(job, schedule) {
      const next = version(job) + 1;
      const manifest = schedule === undefined ? undefined : testManifest({ schedules: [schedule] });
      active.set(job, { version: next, manifest });
      for (const tell of followers) tell(job);
      return next;
    },
    async active(job) {
      return active.get(job)?.manifest === undefined ? undefined : { version: version(job), decidedAt: "", keyId: "" };
    },
    async requireRunnable(job) {
      const manifest = active.get(job)?.manifest ?? testManifest();
      return { version: version(job), manifest, bundle: "", bundleHash: "", sourceMap: null };
    },
    async live() {
      return [...active].flatMap(([name, { version, manifest }]) =>
        manifest === undefined ? [] : [{ decision: { name, version, manifest: "not stored" } }],
      );
    },
    onChange(tell) {
      followers.add(tell);
      return () => followers.delete(tell);
    },
  };
}
