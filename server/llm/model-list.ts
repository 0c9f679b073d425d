import { missingModels } from "./missing-models.ts";
import { ollamaClient } from "./ollama-client.ts";

type Settings = Readonly<{
  url: string;
  clock: () => number;
  /** How long one question may take. */
  timeoutMs?: number;
}>;

/** An answer counts for so long, and no answer for less: a server that comes up should be noticed soon. */
const freshMs = 60_000;
const retryMs = 15_000;
/** What a server had counts on for so long while it does not answer, as when it is started anew. */
const rememberedMs = 5 * 60_000;

/**
 * Tells whether an Ollama server has a model. It is asked when somebody wants to know, at most once a minute; one that has not
 * answered for five minutes has none.
 */
export function createModelList({ url, clock, timeoutMs = 3_000 }: Settings): (model: string) => Promise<boolean> {
  let known: { names: readonly string[]; at: number } = { names: [], at: Number.NEGATIVE_INFINITY };
  let askAgainAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    try {
      const { models } = await ollamaClient({ url, signal: AbortSignal.timeout(timeoutMs) }).list();
      known = { names: models.map(({ name }) => name), at: clock() };
      askAgainAt = clock() + freshMs;
    } catch {
      askAgainAt = clock() + retryMs;
    }
  }

  return async (model) => {
    if (clock() >= askAgainAt) {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      await asking;
    }
    return clock() - known.at < rememberedMs && missingModels([model], known.names).length === 0;
  };
}
