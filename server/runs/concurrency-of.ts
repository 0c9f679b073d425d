import type { Manifest } from "../jobs/manifest.ts";

/** Most live runs of a job when one starts that no schedule made: a job one of whose schedules may overlap may overlap with these, too. */
export function concurrencyOf({ schedules }: Pick<Manifest, "schedules">): number | null {
  return schedules.some((schedule) => schedule.overlap === "allow") ? null : 1;
}
