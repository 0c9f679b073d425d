import { expect, test } from "vitest";
import { launchdPlist, serviceName, systemdUnit } from "./service-files.ts";
import { findProgramProblem, separateUserCommands } from "./service-separate-user.ts";

const target = {
  role: "daemon" as const,
  node: "/opt/node/bin/node",
  program: "/opt/jr/server/jr.mjs",
  home: "/home/me/.jobrunner",
  jobs: null,
};

test("a unit starts the daemon with absolute paths in its home, again after a crash, at every log-in", () => {
  const unit = systemdUnit(target, null).split("\n");
  expect(unit).toContain('ExecStart="/opt/node/bin/node" "/opt/jr/server/jr.mjs" daemon');
  expect(unit).toContain('Environment="JOBRUNNER_HOME=/home/me/.jobrunner"');
  expect(unit).toContain("Restart=on-failure");
  expect(unit).toContain("WantedBy=default.target");
  expect(unit.filter((line) => line.startsWith("User="))).toEqual([]);
});

test("paths with spaces, quotes, percent and dollar signs reach systemd as they are", () => {
  const unit = systemdUnit({ ...target, program: '/opt/a "b" 5%/$x/jr.mjs', home: "/home/me/100% mine" }, null).split(
    "\n",
  );
  expect(unit).toContain('ExecStart="/opt/node/bin/node" "/opt/a \\"b\\" 5%%/$$x/jr.mjs" daemon');
  expect(unit).toContain('Environment="JOBRUNNER_HOME=/home/me/100%% mine"');
  expect(unit).toContain("WorkingDirectory=/home/me/100%% mine");
});

test("a unit for a separate user is one of the system, and runs as that user", () => {
  const unit = systemdUnit(target, "jobrunner").split("\n");
  expect(unit).toEqual(expect.arrayContaining(["User=jobrunner", "Group=jobrunner", "WantedBy=multi-user.target"]));
  expect(separateUserCommands().map(([program]) => program)).toEqual(["useradd", "install", "systemctl", "systemctl"]);
});

test("a worker's service starts the worker, and is told apart", () => {
  const unit = systemdUnit({ ...target, role: "worker" }, null).split("\n");
  expect(unit).toContain('ExecStart="/opt/node/bin/node" "/opt/jr/server/jr.mjs" worker');
  expect(unit).toContain("Description=JobRunner worker (/home/me/.jobrunner)");
  expect(launchdPlist({ ...target, role: "worker" }, "jobrunner")).toMatch(/jr\.mjs<\/string>\s*<string>worker</);
});

test("a launchd agent escapes what XML reserves, and starts again after a failure alone", () => {
  const plist = launchdPlist({ ...target, home: "/Users/me/a & <b>", jobs: "/jobs" }, "jobrunner");
  expect(plist).toContain("<string>/Users/me/a &amp; &lt;b&gt;</string>");
  expect(plist).toContain("<key>JOBRUNNER_JOBS</key>\n    <string>/jobs</string>");
  expect(plist).toMatch(/<key>SuccessfulExit<\/key>\s*<false\/>/);
});

test("each home has a service of its own", () => {
  expect(serviceName("/home/me/.jobrunner", "/home/me/.jobrunner")).toBe("jobrunner");
  expect(serviceName("/srv/a", "/home/me/.jobrunner")).toMatch(/^jobrunner-[0-9a-f]{8}$/);
  expect(serviceName("/srv/a", "/x")).not.toBe(serviceName("/srv/b", "/x"));
});

test("a program that others could replace does not serve a separate user", () => {
  expect(findProgramProblem(["/tmp"])).toContain("/tmp can be changed by users other than root");
});
