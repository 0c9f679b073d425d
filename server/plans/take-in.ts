import { messageOf } from "../errors.ts";
import { asMachineTrouble } from "../machine-trouble.ts";
import type { Row } from "../store/tables.ts";
import { classifyStart, type NodeError } from "./node-error.ts";
import { listFiles, makeNodeFolder, saveFile } from "./plan-folder.ts";
import type { EndedTry } from "./settle-nodes.ts";

/** Saves what a try gave in the node's folder, before that counts. What cannot be saved is the try's failure, unless the machine is to blame. */
export async function takeIn(
  { plansFolder }: Readonly<{ plansFolder: string }>,
  node: Row<"plan_nodes">,
  outcome: EndedTry["outcome"],
): Promise<EndedTry> {
  try {
    const folder = await makeNodeFolder(plansFolder, node.plan_id, node.key);
    if (outcome.state === "succeeded") await saveFile(folder, outputName(outcome.output), outcome.output);
    return { node, outcome, files: await listFiles(folder) };
  } catch (thrown) {
    if (asMachineTrouble(thrown) !== undefined) throw thrown;
    const unsaved: NodeError = { reason: "files", class: "permanent", message: messageOf(thrown) };
    return {
      node,
      outcome: { state: "failed", error: classifyStart(thrown) ?? unsaved, usage: outcome.usage },
      files: [],
    };
  }
}

function outputName(output: string): string {
  return /^\s*[[{]/.test(output) && isJson(output) ? "output.json" : "output.md";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
