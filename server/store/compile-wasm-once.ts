import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's optimizing compiler from WebAssembly that is compiled from now on. Soon after each start it would take 2.4 s of computing
 * and 600 MB for one function of the embedded database, its parser, to save a fifth of a statement's time some thousand statements later.
 */
export function compileWasmOnce(): void {
  for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
}
