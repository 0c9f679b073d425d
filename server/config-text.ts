import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { configFile } from "./config-schema.ts";
import { UserError } from "./errors.ts";
import { yamlIssues } from "./yaml-issues.ts";

/** Parses the text of `config.yaml`. Throws `invalid_config` that names file, line, key and the fix, one line per mistake. */
export function readConfigText(text: string, file: string): z.infer<typeof configFile> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const broken = document.errors[0];
  if (broken !== undefined) throw wrong([`${at(broken.pos[0])}: this is not YAML: ${broken.message}.`], file, broken);
  const parsed = configFile.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const problems = yamlIssues(document, configFile, parsed.error, "setting").map(
    ({ offset, message }) => `${at(offset)}: ${message}`,
  );
  throw wrong(problems, file, parsed.error);
}

function wrong(problems: string[], file: string, cause: unknown): UserError {
  return new UserError("invalid_config", problems.join("\n"), {
    next: `correct ${file}, or put # before the line to get the default`,
    cause,
  });
}
