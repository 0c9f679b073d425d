// outcome: succeeded
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: code from constructors",
  async run({ kv, log }) {
    const makers = [
      () => (() => {}).constructor,
      () => (async () => {}).constructor,
      () => function* () {}.constructor,
      () => async function* () {}.constructor,
      () => class {}.constructor,
      () => Object.getPrototypeOf(async () => {}).constructor,
      () => kv.get.constructor,
      () => log.info.constructor,
      () => fetch.constructor,
      () => Reflect.get(setTimeout, "constructor"),
    ];
    for (const make of makers) {
      let made;
      try {
        made = make()("return 7");
      } catch {
        continue;
      }
      if (typeof made === "function") throw new Error(`code was made: ${make}`);
    }
  },
});
