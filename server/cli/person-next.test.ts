import { expect, test } from "vitest";
import { homePaths } from "../home.ts";
import { personNext } from "./person-next.ts";

const home = homePaths({ JOBRUNNER_HOME: "/srv/jr" });

test.each([
  ["job_list", "/srv/jr/bin/jr jobs"],
  ["run_list", "/srv/jr/bin/jr runs"],
  ['job_read {"name": "watch", "part": "versions"}', "/srv/jr/bin/jr job watch --versions"],
  ['job_read {"name":"watch"} shows the schema', "/srv/jr/bin/jr job watch"],
  ['job_control {"name":"watch","action":"resume"}', "/srv/jr/bin/jr resume watch"],
  ['run_read {"run":"R12"}', "/srv/jr/bin/jr show R12"],
  ["task_list", "/srv/jr/bin/jr task list"],
  ['task_read {"task": "T12"}', "/srv/jr/bin/jr task show T12"],
  ['task_update {"task": "T12", "action": "reopen"}', "/srv/jr/bin/jr task reopen T12"],
  ["free some space, then submit again", "free some space, then submit again"],
  ["/srv/jr/bin/jr approve watch", "/srv/jr/bin/jr approve watch"],
])("an agent's next step %s is told to a person as %s", (next, expected) => {
  expect(personNext(home, next)).toBe(expected);
});
