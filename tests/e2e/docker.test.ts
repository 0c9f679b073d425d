import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig } from "../../server/config.ts";
import { homePaths, packageRoot } from "../../server/home.ts";

/*
 * There is no container engine where these tests run: they read what would be built and hold it against the repository.
 */
const service = z.object({
  user: z.string().optional(),
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  command: z.array(z.string()).optional(),
  healthcheck: z.union([z.object({ test: z.array(z.string()) }), z.object({ disable: z.literal(true) })]),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  read_only: z.literal(true),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const compose = z
  .object({
    services: z.strictObject({
      jobrunner: service,
      worker: service,
      postgres: service,
      prometheus: service,
      grafana: service,
    }),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(read("docker/compose.yaml")));
const { jobrunner, worker, postgres, prometheus, grafana } = compose.services;

/** Instructions with their continuation lines joined, comments left out. */
const instructions = read("docker/Dockerfile")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => {
    const [word = "", ...rest] = line.split(" ");
    return { word, rest: rest.join(" ") };
  });
const runtime = instructions.slice(instructions.findIndex(({ rest }) => rest.endsWith(" AS runtime")));
const all = (word: string) => runtime.filter((each) => each.word === word).map(({ rest }) => rest);

function read(path: string): string {
  return readFileSync(join(packageRoot, path), "utf8");
}

test("the image runs as another user than root, and that user cannot change the program", () => {
  expect(all("USER")).toEqual(["node"]);
  expect(all("COPY").filter((copy) => copy.includes("--chown"))).toEqual([]);
  expect(runtime.findIndex(({ word }) => word === "USER")).toBeGreaterThan(
    runtime.findLastIndex(({ word }) => word === "COPY"),
  );
});

test("everything that the image copies is in the repository and passes .dockerignore", () => {
  const kept = read(".dockerignore").split("\n");
  const copied = instructions
    .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from"))
    .flatMap(({ rest }) => rest.split(" ").slice(0, -1))
    .filter((path) => path !== ".");
  expect(copied.length).toBeGreaterThan(5);
  for (const path of copied) {
    expect(existsSync(join(packageRoot, path)), path).toBe(true);
    expect(kept, path).toContain(`!${path.split("/")[0]}`);
  }
});

test("the image starts the daemon itself as process 1 and asks it for its health", () => {
  expect(all("ENTRYPOINT")).toEqual(['["node", "/app/server/jr.mjs"]']);
  expect(all("CMD")).toEqual(['["daemon", "--log-stderr"]']);
  expect(all("HEALTHCHECK")[0]).toContain("http://127.0.0.1:7717/healthz");
  expect(all("VOLUME")).toEqual(['["/data"]']);
});

test("the image's environment is a configuration that our own program reads as meant", () => {
  const env = Object.fromEntries(
    [...(all("ENV")[0] ?? "").matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  const config = loadConfig(homePaths(env), { ...env, DATABASE_URL: "postgres://jobrunner:x@postgres:5432/jobrunner" });
  expect(config).toMatchObject({ jobsFolder: "/data/jobs", http: { enabled: true, host: "0.0.0.0", port: 7717 } });
  expect(config.home.socket).toBe("/data/daemon.sock");
});

test.each(Object.entries(compose.services))(
  "%s has no capabilities, a read-only root and a health check if it has doors",
  (name, { cap_drop, security_opt, healthcheck }) => {
    expect(cap_drop).toEqual(["ALL"]);
    expect(security_opt).toEqual(["no-new-privileges:true"]);
    expect("test" in healthcheck && healthcheck.test.length > 1).toBe(name !== "worker");
  },
);

test("the worker runs the daemon's image on the daemon's database, with a home of its own, only where it is asked for", () => {
  expect(worker).toMatchObject({ image: jobrunner.image, command: ["worker", "--log-stderr"], profiles: ["worker"] });
  expect(worker.environment).toEqual(jobrunner.environment);
  expect(worker.volumes).not.toEqual(jobrunner.volumes);
  expect(worker.ports).toEqual([]);
});

test("ports are published on loopback only, and the database's not at all", () => {
  expect(jobrunner.ports).toHaveLength(1);
  for (const port of [...jobrunner.ports, ...grafana.ports]) expect(port).toMatch(/^127\.0\.0\.1:/);
  expect([...postgres.ports, ...prometheus.ports]).toEqual([]);
  expect(postgres.user).toBe("postgres");
});

test("what compose names is there, and the daemon waits for a database that is ready", () => {
  const { context = "", dockerfile = "" } = jobrunner.build ?? {};
  expect(existsSync(join(packageRoot, "docker", context, dockerfile))).toBe(true);
  expect(read("docker/.env.example")).toMatch(/^POSTGRES_PASSWORD=$/m);
  expect(jobrunner.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
  expect(jobrunner.environment.DATABASE_URL).toContain("@postgres:5432/");
  const named = Object.values(compose.services)
    .flatMap(({ volumes }) => volumes)
    .map((volume) => volume.split(":")[0] ?? "");
  const files = named.filter((path) => path.startsWith("./"));
  for (const path of files) expect(existsSync(join(packageRoot, "docker", path)), path).toBe(true);
  expect(Object.keys(compose.volumes).sort()).toEqual(named.filter((name) => !files.includes(name)).sort());
});
