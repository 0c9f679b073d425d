import { z } from "zod";
import { UserError } from "../errors.ts";

/** What a decision is about. */
export const decisionKinds = ["job", "role", "skill", "mcp_server", "command", "key", "chain"] as const;

/** What a person can decide. */
export const decisionVerbs = [
  "approve",
  "activate",
  "resume",
  "revoke",
  "trust",
  "revoke_key",
  "accept_chain",
] as const;

/** The `previous` of the first decision of a chain. */
export const genesis = `sha256:${"0".repeat(64)}`;

const header = "jobrunner-decision 1";
const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** One line that reads as it looks: printable ASCII without a space at either end, and not the mark of an absent value. */
const word = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/)
  .refine((text) => text !== "-", "must not be the mark of an absent value");

const decisionSchema = z
  .strictObject({
    kind: z.enum(decisionKinds),
    name: word.max(200),
    version: z.int().positive().nullable(),
    source: hash.nullable(),
    bundle: hash.nullable(),
    manifest: hash.nullable(),
    compiler: word.max(200).nullable(),
    runtime: word.max(200).nullable(),
    decision: z.enum(decisionVerbs),
    /** The key that `trust` adds (`<base64 public key> protected|unprotected`), or the lost head of `accept_chain` (`<seq> <hash>`). */
    subject: word.max(300).nullable(),
    note: z.string().max(2000).nullable(),
    time: z.iso.datetime({ precision: 3 }),
    previous: hash,
    /** Base64 of the signer's raw public key, so that anybody can check the signature; whether it counts is another matter. */
    key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  })
  .superRefine((decision, context) => {
    const problem = shapeProblem(decision);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** One decision as plain data; every line of the signed text in its order. Values that do not apply are null. */
export type Decision = Readonly<z.infer<typeof decisionSchema>>;

/** The text that is signed: a header, then one `field: value` line per field, always all of them and in the same order. */
export function buildDecisionText(decision: Decision): string {
  return writeLines(decisionSchema.parse(decision));
}

function writeLines(d: Decision): string {
  const lines = [
    ["kind", d.kind],
    ["name", d.name],
    ["version", d.version],
    ["source", d.source],
    ["bundle", d.bundle],
    ["manifest", d.manifest],
    ["compiler", d.compiler],
    ["runtime", d.runtime],
    ["decision", d.decision],
    ["subject", d.subject],
    ["note", d.note === null ? null : asciiJson(d.note)],
    ["time", d.time],
    ["previous", d.previous],
    ["key", d.key],
  ];
  return `${[header, ...lines.map(([field, value]) => `${field}: ${value ?? "-"}`)].join("\n")}\n`;
}

/** Reads a signed text. Whatever `buildDecisionText` would not have written byte by byte throws `approval_invalid`. */
export function parseDecisionText(text: string): Decision {
  const decision = decisionSchema.safeParse(readLines(text));
  if (!decision.success || writeLines(decision.data) !== text) {
    throw new UserError("approval_invalid", "The text of the decision is not in its canonical form.");
  }
  return decision.data;
}

/** Values by field. Order, spacing and repeats need no check here: building the text again and comparing finds them. */
function readLines(text: string): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const line of text.split("\n").slice(1, -1)) {
    const colon = line.indexOf(": ");
    const value = line.slice(colon + 2);
    fields[line.slice(0, colon)] = value === "-" ? null : value;
  }
  if (typeof fields.version === "string") fields.version = Number(fields.version);
  if (typeof fields.note === "string") fields.note = parseNote(fields.note);
  return { ...fields };
}

function parseNote(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** JSON of a string in ASCII alone, so that no character can hide or reorder what a person reads. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

type Shape = Pick<
  Decision,
  "kind" | "version" | "source" | "bundle" | "manifest" | "compiler" | "runtime" | "decision" | "subject"
>;

/** Which fields belong to which decision. */
function shapeProblem(d: Shape): string | undefined {
  const content = [d.version, d.source, d.bundle, d.manifest, d.compiler, d.runtime];
  const whole = content.every((value) => value !== null);
  const none = content.every((value) => value === null);
  const isThing = d.kind !== "key" && d.kind !== "chain";
  switch (d.decision) {
    case "approve":
    case "activate":
      return isThing && whole && d.subject === null
        ? undefined
        : "names one whole version of a job, role, skill, server or command";
    case "resume":
    case "revoke":
      return isThing && (whole || none) && d.subject === null ? undefined : "names a version wholly or not at all";
    case "trust":
      return d.kind === "key" && none && d.subject !== null ? undefined : "names a key and its public part";
    case "revoke_key":
      return d.kind === "key" && none && d.subject === null ? undefined : "names a key";
    case "accept_chain":
      return d.kind === "chain" && none && d.subject !== null ? undefined : "names the lost head";
    default:
      return d.decision satisfies never;
  }
}
