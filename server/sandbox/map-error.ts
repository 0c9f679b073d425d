import { SourceMap } from "node:module";
import type { ErrorText } from "./protocol.ts";
import type { GuestError } from "./types.ts";

const maxFrames = 20;
/** A frame of the bundle: `job.js:12:5`, at the end of the line but for a bracket. */
const frameEnd = /job\.js:(\d{1,9}):(\d{1,9})\)?$/;
/** Where V8 names the place of a syntax error in the message or above the stack. */
const syntaxPlace = /job\.js:(\d{1,9})(?::(\d{1,9}))?/;

type Place = Readonly<{ file: string; line: number; column: number }>;
type Locate = (line: number, column: number) => Place | undefined;

/** Turns positions of the bundle into those of the source, and drops frames of the runtime and of this program. */
export function mapError(error: ErrorText, sourceMap: string | null): GuestError {
  const locate = locator(sourceMap);
  let first: Place | undefined;
  const frames: string[] = [];
  for (const line of error.stack.split("\n")) {
    const trimmed = line.trim().slice(0, 400);
    if (!trimmed.startsWith("at ") || frames.length >= maxFrames) continue;
    const match = frameEnd.exec(trimmed);
    if (match === null) continue;
    const place = locate(Number(match[1]), Number(match[2]));
    if (place === undefined) continue;
    first ??= place;
    const name = /^at (?:async )?(.{1,200}?) \(/.exec(trimmed)?.[1];
    const where = `${place.file}:${place.line}:${place.column}`;
    frames.push(name === undefined ? `    at ${where}` : `    at ${name} (${where})`);
  }
  if (first === undefined && error.name === "SyntaxError") {
    const match = syntaxPlace.exec(`${error.message}\n${error.stack}`);
    if (match !== null) first = locate(Number(match[1]), Number(match[2] ?? 1));
  }
  const message = error.message.replace(/ \[job\.js:\d+:\d+\]$/, "");
  return {
    name: error.name,
    message,
    stack: [`${error.name}: ${message}`, ...frames].join("\n"),
    file: first?.file ?? null,
    line: first?.line ?? null,
    column: first?.column ?? null,
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.permanent === undefined ? {} : { permanent: error.permanent }),
  };
}

/** Without a source map, or where it has no answer, positions stay those of the bundle. */
function locator(sourceMap: string | null): Locate {
  const plain: Locate = (line, column) => ({ file: "job.js", line, column });
  if (sourceMap === null) return plain;
  let map: SourceMap;
  try {
    map = new SourceMap(JSON.parse(sourceMap));
  } catch {
    return plain;
  }
  return (line, column) => {
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry) || typeof entry.originalSource !== "string") return undefined;
    return { file: sourceName(entry.originalSource), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
}

/** Sources are relative to the jobs folder; anything else is shortened to its last part, so that no path of the host shows. */
function sourceName(source: string): string {
  const plain = source.replace(/^file:\/\//, "");
  return /^(\/|[A-Za-z]:|\.\.)/.test(plain) ? (plain.split(/[\\/]/).at(-1) ?? "job.js") : plain;
}
