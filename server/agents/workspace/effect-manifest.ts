import { anyHost, ownFolder, type RoleManifest } from "../../definitions/role-manifest.ts";
import { type Manifest, manifestSchema } from "../../jobs/manifest.ts";

const longestBody = 8 * 1024 * 1024;

/** What a role grants, in the form that effects check. */
export function effectManifest({ permissions, limits }: RoleManifest, folder: string | null): Manifest {
  const paths = (written: readonly string[]) =>
    written.flatMap((path) => (path === ownFolder ? (folder === null ? [] : [folder]) : [path]));
  return manifestSchema.parse({
    description: "an agent's own tools",
    schedules: [],
    triggers: { after: [], files: [], webhook: false },
    runsOn: [],
    priority: 0,
    permissions: {
      net: permissions.net.filter(({ host }) => host !== anyHost),
      secrets: {},
      files: { read: paths(permissions.files.read), write: paths(permissions.files.write) },
      llm: [],
      notify: [],
      exec: [],
      run: [],
      tasks: null,
    },
    limits: {
      timeoutMs: limits.timeoutMs,
      cpuMs: limits.timeoutMs,
      memoryMb: 128,
      logBytes: longestBody,
      effects: 10_000,
      inFlight: 1,
      requestBytes: longestBody,
      responseBytes: longestBody,
      journalBytes: longestBody,
      artifactBytes: longestBody,
      runsPerHour: 1_000,
    },
    retry: { attempts: 1, backoff: "fixed", delayMs: 0, maxDelayMs: 0 },
    onUncertain: "skip",
    callers: [],
    input: null,
    timezone: "UTC",
    locale: "en-US",
  });
}
