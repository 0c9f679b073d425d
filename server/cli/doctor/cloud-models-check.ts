import { checkProviders } from "../../agents/providers/check-providers.ts";
import { type Check, ok, warn } from "./check.ts";

/** The programs that are enabled as models of agents: there, logged in, and their versions. Only warns: jobs need none. */
export const cloudModelsCheck: Check = {
  name: "cloud models",
  async look({ context, config }) {
    if (config === undefined) return warn("not looked at, since the settings are wrong", "correct them first");
    const { agents, ollama } = config;
    const found = (await checkProviders({ agents, ollama }, context.env)).filter(({ name }) => name !== "ollama");
    if (found.length === 0) return ok("none enabled");
    const bad = found.filter(({ ok }) => !ok);
    if (bad.length > 0)
      return warn(bad.map(({ problem }) => problem).join("; "), bad.flatMap(({ next }) => next ?? []).join("; "));
    return ok(
      found.map(({ name, version, note }) => `${name} ${version}${note === null ? "" : ` (${note})`}`).join(", "),
    );
  },
};
