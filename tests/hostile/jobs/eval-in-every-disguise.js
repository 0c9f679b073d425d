// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: eval in every disguise",
  async run({ log }) {
    const roads = [
      () => globalThis["ev" + "al"]("1"),
      () => Function("return 1")(),
      () => (() => {}).constructor("return 1")(),
      () => (async () => {}).constructor("return 1")(),
      () => function* () {}.constructor("yield 1")(),
      () => async function* () {}.constructor("yield 1")(),
      () => Reflect.construct((() => {}).constructor, ["return 1"])(),
      () => Object.getPrototypeOf((async () => {}).constructor)("return 1")(),
      () => log.info.constructor.constructor("return 1")(),
      () => setTimeout("globalThis.hit = true"),
      () => new (class extends Function {})("return 1")(),
      () => Array.fromAsync.constructor("return 1")(),
      () => fetch.constructor("return 1")(),
    ];
    const open = [];
    for (const road of roads) {
      try {
        road();
        open.push(String(road));
      } catch {}
    }
    let imported = "refused";
    try {
      imported = await import("data:text/javascript,export default 1");
    } catch {}
    if (open.length > 0 || imported !== "refused") throw new Error(`open: ${open}`);
  },
});
