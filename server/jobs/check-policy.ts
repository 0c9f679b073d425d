import { blankText } from "./blank-text.ts";
import type { SourceFiles } from "./collect-sources.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { inPackage } from "./import-plugin.ts";

/** Code that makes code. The sandbox has none of it; saying so before the job runs saves the author a round. */
const refused = [
  { form: /(?<![\w$.])eval\s*\(/g, what: "eval" },
  { form: /(?<![\w$.])(?:new\s+)?Function\s*\(/g, what: "Function" },
  { form: /(?<=\.constructor)\s*\.\s*constructor\b/g, what: "a function's constructor" },
] as const;

/** Characters that do not show, or that make text show in another order than it is read. */
const invisible = /(?![\t\n\r])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const shownPerFile = 20;

/** Findings in what the author wrote (packages are left out): refused code as errors, characters that hide something as warnings. */
export function checkPolicy(files: SourceFiles): Diagnostic[] {
  return [...files].filter(([path]) => !inPackage(path)).flatMap(([path, bytes]) => checkFile(path, bytes));
}

function checkFile(file: string, bytes: Uint8Array): Diagnostic[] {
  const text = decode(bytes);
  if (text === undefined) {
    return [
      { file, line: 1, column: 1, message: "the file is not valid UTF-8", hint: "save it as UTF-8", severity: "error" },
    ];
  }
  const hidden = [...text.matchAll(invisible)]
    // A byte order mark at the start is how some editors save.
    .filter(({ index }) => !(index === 0 && text.startsWith("\ufeff")))
    .slice(0, shownPerFile)
    .map(({ index, 0: character }): Diagnostic => {
      const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
      return {
        file,
        ...placeOf(text, index),
        message: `the character ${code} does not show; the review makes it visible to the person`,
        hint: `write it as an escape, such as \\u{${code.slice(2).toLowerCase()}}, or remove it`,
        severity: "warning",
      };
    });
  if (!/\.[mc]?[tj]s$/.test(file)) return hidden;
  const references = [...text.matchAll(/^[ \t]*\/\/\/[ \t]*<reference\b.*$/gm)].map(
    ({ index }): Diagnostic => ({
      file,
      ...placeOf(text, index),
      message: "reference comments are not followed: the checks see the job's own files and nothing else",
      hint: "use import type { … } from",
      severity: "error",
    }),
  );
  const code = blankText(text);
  const made = refused.flatMap(({ form, what }) =>
    [...code.matchAll(form)].slice(0, shownPerFile).map(({ index }): Diagnostic => {
      return {
        file,
        ...placeOf(text, index),
        message: `${what} does not exist in the sandbox: signed code cannot make new code`,
        hint: "write the code out; for data use JSON.parse",
        severity: "error",
      };
    }),
  );
  return [...references, ...made, ...hidden];
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function placeOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  return { line: before.split("\n").length, column: index - before.lastIndexOf("\n") };
}
