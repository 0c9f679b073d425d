import type { Config } from "../../config.ts";
import type { CliContext } from "../context.ts";

/** What one check found; `fix` says what to do about anything but `ok`. */
export type Finding = Readonly<{ level: "ok" | "warn" | "fail"; text: string; fix?: string }>;

/** What checks look at; `config` is undefined where it cannot be read, which has its own check. */
export type CheckInput = Readonly<{ context: CliContext; config: Config | undefined; running: boolean }>;

/** One thing that `jr doctor` looks at. What it throws is told as a failure. */
export type Check = Readonly<{ name: string; look(input: CheckInput): Finding | Promise<Finding> }>;

/** All is well. */
export function ok(text: string): Finding {
  return { level: "ok", text };
}

/** It works, but not as it should. */
export function warn(text: string, fix: string): Finding {
  return { level: "warn", text, fix };
}

/** It does not work. */
export function fail(text: string, fix: string): Finding {
  return { level: "fail", text, fix };
}
