// outcome: succeeded
// calls: none
import { defineJob, z } from "jobrunner";

export default defineJob({
  description: "hostile: schemas that throw, go round in circles or lie about what they are",
  async run({ ask, llm }) {
    const circle = {};
    circle.properties = { circle };
    const schemas = [
      { _zod: { def: null } },
      Object.create({ _zod: 1 }),
      circle,
      {
        get type() {
          throw new TypeError("thrown");
        },
      },
      { toJSON: () => circle },
      z.lazy(() => {
        throw new TypeError("thrown");
      }),
      "string",
    ];
    for (const schema of schemas) {
      for (const call of [() => ask("?", { schema }), () => llm.generate({ model: "m", prompt: "p", schema })]) {
        try {
          await call();
        } catch {
          continue;
        }
        throw new Error("accepted");
      }
    }
  },
});
