import { isAbsolute, join, normalize, parse, relative, sep } from "node:path";
import type { ManifestProblem } from "./manifest-problems.ts";

/** What `~` stands for, and our own home folder; both absolute. */
export type Folders = Readonly<{ user: string; own: string }>;

/** Folders made absolute and normalized, sorted, each once. */
export function freezeGrants(
  written: readonly string[],
  place: string,
  folders: Folders,
  problems: ManifestProblem[],
): string[] {
  const frozen = written.flatMap((each, index) => freezePath(each, `${place}.${index}`, folders, problems) ?? []);
  return [...new Set(frozen)].sort();
}

/** A path of this machine, absolute and normalized; undefined where it cannot be granted, which is added to `problems`. */
export function freezePath(
  written: string,
  path: string,
  { user, own }: Folders,
  problems: ManifestProblem[],
): string | undefined {
  const refuse = (message: string, hint: string) => {
    problems.push({ path, message: `${quoted(written)} ${message}`, hint });
    return undefined;
  };
  if (/\p{Cc}/u.test(written)) return refuse("has a control character", "write the path as it is on the disk");
  if (/[*?[\]{}]/.test(written)) {
    return refuse("has a pattern, and a path must be exact", "name the folder; everything below it is granted with it");
  }
  if (written.split(sep === "\\" ? /[\\/]/ : "/").includes("..")) {
    return refuse('has "..", and a path must say where it leads', "write the whole path without it");
  }
  const full = written === "~" || /^~[\\/]/.test(written) ? join(user, written.slice(1)) : written;
  if (!isAbsolute(full)) {
    const name = written.replace(/^(~[^\\/]*|\.)?[\\/]*/, "");
    return refuse("is no absolute path", `write ${quoted(`~/${name}`)}, or the whole path from the root on`);
  }
  const clean = normalize(full);
  // What lies there opens doors: keys, tokens, the store, and the person's own command.
  if (isWithin(clean, normalize(own))) {
    const hint = "keep data with kv, leave results with artifacts.write";
    return refuse("is part of JobRunner's own home folder, of which no job gets anything", hint);
  }
  return clean === parse(clean).root || !clean.endsWith(sep) ? clean : clean.slice(0, -1);
}

/** Whether a path is the folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
