import { answerSchema } from "./answer-schema.ts";
import { requireText } from "./arguments.ts";
import { effect } from "./effect.ts";
import { ErrorClass } from "./primordials.ts";

type Order = { role: string; prompt: string; schema?: unknown };
type Ended = {
  agent: string;
  state: string;
  text: string | null;
  json?: unknown;
  tokens: number;
  usd: number;
  error: { reason: string; message: string } | null;
};

/** Agents in roles that the manifest names. */
export const agents = Object.freeze({
  /** Gives one a task, waits for it, and gives its answer. */
  run: async (order: Order): Promise<Omit<Ended, "state" | "error">> => {
    if (typeof order !== "object" || order === null) throw new TypeError("agents.run needs an object");
    const schema = order.schema === undefined ? undefined : answerSchema(order.schema, "agents.run");
    const started = await effect<{ agent: string }>("agent.start", {
      role: requireText(order.role, "the role"),
      prompt: requireText(order.prompt, "the prompt"),
      schema: schema?.json ?? null,
    });
    const { state, error, json, ...answer } = await effect<Ended>("agent.wait", { agent: started.agent });
    if (state !== "succeeded") {
      throw new ErrorClass(
        `${order.role} (${answer.agent}) ended as ${state}${error === null ? "" : `: ${error.message}`}`,
      );
    }
    if (schema !== undefined) return { ...answer, json: schema.read(json) };
    return json === undefined ? answer : { ...answer, json };
  },
});
