import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "../../log.ts";
import { answerTool, offerAnswer } from "../loop/answer-tool.ts";
import type { LoopEnd, LoopHost } from "../loop/loop-host.ts";
import { runLoop } from "../loop/run-loop.ts";
import type { StartMessage } from "../process/protocol.ts";
import { createProviders } from "../providers/create-providers.ts";
import { modelSettings } from "./model-settings.ts";
import type { Parent } from "./parent.ts";

/** Runs the loop of one agent: models and MCP servers from here, all else from the daemon. */
export async function runAgent(parent: Parent, start: StartMessage, signal: AbortSignal): Promise<LoopEnd> {
  const providers = createProviders(modelSettings.parse(start.models), { log: silentLog });
  await using servers = await openServers(parent, start, signal);
  const { brief } = start;
  const offers = brief.tools.map((offer) => (offer.name === answerTool ? offerAnswer(brief.schema) : offer));
  const host: LoopHost = {
    beginModel: (request, maxOutputTokens) => parent.ask("begin_model", { request, maxOutputTokens }),
    chat: ({ provider, model }, request) => providers[provider].chat({ ...request, model }, { signal }),
    async endModel(step, result, used) {
      await parent.ask("end_model", { step, result, used });
    },
    async callTool(call) {
      const sent = { ...call, arguments: { ...call.arguments } };
      const answer = await parent.ask("call_tool", { call: sent });
      if ("result" in answer) return answer.result;
      const { step, server, tool } = answer.mcp;
      const result = await servers.call(server, tool, call.arguments);
      return parent.ask("end_tool", { step, call: sent, result });
    },
    async skipTool(call, result) {
      await parent.ask("skip_tool", { call: { ...call, arguments: { ...call.arguments } }, result });
    },
    judge: (answer) => parent.ask("judge", { answer }),
    async note(step) {
      await parent.ask("note", { step });
    },
    sleep: (ms) => sleep(ms, undefined, { signal }),
    random: Math.random,
  };
  return await runLoop({ ...brief, tools: [...offers, ...servers.offers] }, host, signal);
}

const none = { offers: [], call: async () => ({ content: "", isError: true }), async [Symbol.asyncDispose]() {} };

/** The MCP client is loaded only where a role has servers. */
async function openServers(parent: Parent, { mcp, folder }: StartMessage, signal: AbortSignal) {
  if (mcp.length === 0) return none;
  const { openMcpServers } = await import("./mcp-servers.ts");
  return openMcpServers(mcp, { signal, folder, log: parent.log });
}
