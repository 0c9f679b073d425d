/*
 * Takes away what would let signed code fetch code and run it, or see real time and garbage collection. Runs first.
 */

const refuse = (what: string) =>
  function refused(): never {
    throw new EvalError(`${what} is not available in a job: code that was not signed does not run`);
  };

/** Replaces the constructor of each kind of function by one that throws; `instanceof Function` keeps working. */
function closeConstructors(): void {
  const kinds = [
    ["Function", () => {}],
    ["AsyncFunction", async () => {}],
    ["GeneratorFunction", function* () {}],
    ["AsyncGeneratorFunction", async function* () {}],
  ] as const;
  for (const [name, sample] of kinds) {
    const prototype = Object.getPrototypeOf(sample);
    const closed = refuse(name);
    Object.defineProperty(closed, "name", { value: name });
    Object.defineProperty(closed, "prototype", { value: prototype, writable: false });
    Object.defineProperty(prototype, "constructor", { value: closed, writable: false, configurable: false });
    if (name === "Function")
      Object.defineProperty(globalThis, "Function", { value: closed, writable: true, configurable: true });
  }
}

const removed = ["eval", "WebAssembly", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry", "console"];

export function harden(): void {
  closeConstructors();
  for (const name of removed) Reflect.deleteProperty(globalThis, name);
}
