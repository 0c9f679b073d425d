import { defineConfig } from "vitest/config";

const shared = { globalSetup: ["tests/support/global-setup.ts"], testTimeout: 240_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    // Most tests wait for processes of their own half of the time.
    maxWorkers: 4,
    pool: "forks",
    reporters: ["default", "./tests/support/closing-lines.ts"],
    coverage: { provider: "v8", include: ["server/**/*.ts", "tools/**/*.ts"] },
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: [
            "server/**/*.test.ts",
            "tools/**/*.test.ts",
            "tests/hostile/*.test.ts",
            "tests/fuzz/*.test.ts",
            "skills/*.test.ts",
          ],
        },
      },
      { test: { ...shared, name: "chaos", include: ["tests/chaos/*.test.ts"] } },
      { test: { ...shared, name: "e2e-pglite", include: ["tests/e2e/**/*.test.ts"], env: { TEST_STORE: "pglite" } } },
      {
        test: { ...shared, name: "e2e-postgres", include: ["tests/e2e/**/*.test.ts"], env: { TEST_STORE: "postgres" } },
      },
    ],
  },
});
