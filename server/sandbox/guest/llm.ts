import { answerSchema } from "./answer-schema.ts";
import { requireText } from "./arguments.ts";
import { effect } from "./effect.ts";

type Message = { role: "system" | "user" | "assistant"; content: string };
type Request = {
  model: string;
  prompt?: string;
  messages?: readonly Message[];
  system?: string;
  schema?: unknown;
  temperature?: number;
  maxTokens?: number;
  seed?: number;
};
type Answer = {
  text: string;
  json?: unknown;
  tokens: { prompt: number; output: number };
  finish: "stop" | "length";
};

function messagesOf({ prompt, messages, system }: Request): Message[] {
  if ((prompt === undefined) === (messages === undefined))
    throw new TypeError("llm.generate needs either prompt or messages");
  const said: readonly Message[] = messages ?? [{ role: "user", content: requireText(prompt, "the prompt") }];
  const start: Message[] = system === undefined ? [] : [{ role: "system", content: requireText(system, "system") }];
  return [...start, ...said.map(({ role, content }) => ({ role, content }))];
}

/** Local models that the manifest grants. */
export const llm = Object.freeze({
  generate: async (request: Request): Promise<Answer> => {
    if (typeof request !== "object" || request === null) throw new TypeError("llm.generate needs an object");
    const { temperature = null, maxTokens = null, seed = null } = request;
    const schema = request.schema === undefined ? undefined : answerSchema(request.schema, "llm.generate");
    const answer = await effect<Answer>("llm.generate", {
      model: requireText(request.model, "the model"),
      messages: messagesOf(request),
      schema: schema?.json ?? null,
      temperature,
      maxTokens,
      seed,
    });
    return schema === undefined ? answer : { ...answer, json: schema.read(answer.json) };
  },
});
