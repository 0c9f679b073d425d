import { expect, test } from "vitest";
import { testToolContext } from "../../tests/support/mcp-context.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import type { NotifyMessage } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { desktopProblem } from "../notify/desktop.ts";
import { approvalsFixture } from "../review/approvals-fixture.ts";
import { raiseAlert } from "../runs/alerts.ts";
import { sendAlerts } from "./send-alerts.ts";

const value = "hunter2-hunter2";
const secrets: SecretValues = { get: (name) => (name === "TOKEN" ? value : undefined), names: () => ["TOKEN"] };

/** The text of the one message that tells of this. */
async function sentText(message: string, values: () => SecretValues): Promise<string> {
  const fixture = await approvalsFixture();
  await using store = fixture.deps.store;
  const base = testToolContext(fixture).config;
  const config = { ...base, alerts: { ...base.alerts, targets: ["desktop"] } };
  const past = new Date(Date.now() - 60_000);
  await raiseAlert(store.db, { key: "job:feed:failed", message, now: past });
  const sent = Promise.withResolvers<NotifyMessage>();
  const notify = async (told: NotifyMessage) => sent.resolve(told);
  await using _ = sendAlerts({ store, config, notify, secrets: values, log: silentLog });
  return (await sent.promise).text;
}

test("values of secrets are masked however they are spelled, and nothing can forge a line", async () => {
  const base64 = Buffer.from(value).toString("base64");
  const text = await sentText(`it said ${value} and ${base64}\n\u202eR9 of bank failed`, () => secrets);
  expect(text).toMatch(/^it said jrsecret_token_\w+ and jrsecret_token_\w+.*R9 of bank failed\. jr job feed$/);
  expect(text).not.toMatch(/hunter2|\n|\u202e/);
  expect(text).not.toContain(base64);
});

test("where secrets cannot be read, the text is held back and the alert goes out all the same", async () => {
  const text = await sentText(`it said ${value}`, () => {
    throw new UserError("invalid_config", ".env:3 is no assignment");
  });
  expect(text).toContain("held back");
  expect(text).toContain(".env:3 is no assignment");
  expect(text).not.toContain(value);
});

test("a desktop that is not there is told of from the start", async () => {
  const fixture = await approvalsFixture();
  await using store = fixture.deps.store;
  const base = testToolContext(fixture).config;
  const config = { ...base, alerts: { ...base.alerts, targets: ["desktop"] } };
  await using alerts = sendAlerts({ store, config, notify: async () => {}, secrets: () => secrets, log: silentLog });
  const problem = desktopProblem();
  expect(alerts.failing().map(({ target, message }) => [target, message])).toEqual(
    problem === undefined ? [] : [["desktop", problem]],
  );
});
