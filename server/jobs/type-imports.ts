const forms = [
  /\b(?:import|export)\s+type\b[^'"`;]*?\bfrom\s*["']([^"'\n]+)["']/g,
  /\bimport\(\s*["']([^"'\n]+)["']/g,
  /\bdeclare\s+module\s*["']([^"'\n]+)["']/g,
];

/** A module that a source names, and the line (from 1) where it first does. */
export type TypeImport = Readonly<{ specifier: string; line: number }>;

/**
 * What a TypeScript source names for types alone (`import type`, `export type`, `import("…")`, `declare module`), each once. The
 * checker would follow these, so they must pass the same rules as every other import.
 */
export function typeImports(source: string): TypeImport[] {
  const found = new Map<string, TypeImport>();
  for (const match of forms.flatMap((form) => [...source.matchAll(form)])) {
    const specifier = match[1] ?? "";
    const line = source.slice(0, match.index).split("\n").length;
    if (specifier !== "jobrunner" && !found.has(specifier)) found.set(specifier, { specifier, line });
  }
  return [...found.values()];
}
