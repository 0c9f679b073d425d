import { type Document, isMap, isNode, isPair, isSeq, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";
import { findPlanProblems, type Known, type PlanProblem } from "./check-plan.ts";
import { fieldsOf, type PlanSpec, planSpec } from "./plan-spec.ts";

/**
 * Parses the text of a `goal.yaml`. What it names (roles, jobs, commands) is looked up where `known` says; nodes are counted
 * against `maxNodes`. Throws `plan_invalid` that names file, line and mistake, one line per mistake.
 */
export function readPlanText(text: string, file: string, maxNodes: number, known: Known = {}): PlanSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const broken = document.errors[0];
  if (broken !== undefined) throw wrong([`${at(broken.pos[0])}: this is not YAML: ${broken.message}.`], file);
  const value: unknown = document.toJS() ?? {};
  const parsed = planSpec.safeParse(value);
  const problems = parsed.success
    ? findPlanProblems(parsed.data.nodes ?? [], maxNodes, known)
    : problemsOfShape(parsed.error, value);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw wrong(
    problems.map(({ path, message }) => `${at(offsetOf(document, path))}: ${message}.`),
    file,
  );
}

/** What does not have the shape of a plan, one problem per unknown key. */
export function problemsOfShape(error: z.ZodError, value: unknown): PlanProblem[] {
  return error.issues.flatMap((issue): PlanProblem[] => {
    const where = issue.path.map(String).join(".");
    if (issue.code !== "unrecognized_keys") {
      return [{ path: issue.path, message: where === "" ? issue.message : `"${where}": ${issue.message}` }];
    }
    const known = fieldsOf(issue.path, value);
    return issue.keys.map((key) => {
      const near = nearestWord(key, known);
      const hint = near === undefined ? `Known here: ${known.join(", ")}` : `Did you mean "${near}"?`;
      return { path: [...issue.path, key], message: `there is no field "${[...issue.path, key].join(".")}". ${hint}` };
    });
  });
}

function wrong(problems: string[], file: string): UserError {
  return new UserError("plan_invalid", problems.slice(0, 20).join("\n"), { next: `correct ${file}` });
}

/** Where the deepest part of the path that is there begins. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isSeq(node) && typeof step === "number") node = node.items[step];
    else if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(step));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
      continue;
    } else break;
    if (isNode(node)) offset = node.range?.[0] ?? offset;
  }
  return offset;
}
