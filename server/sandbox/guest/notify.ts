import { requireText } from "./arguments.ts";
import { effect } from "./effect.ts";

type Message = { text: string; title?: string; target?: string; urgency?: "low" | "normal" | "high" };

/** Tells the person something, over a target that the manifest grants. */
export async function notify(message: string | Message): Promise<void> {
  const given = typeof message === "string" ? { text: message } : message;
  if (typeof given !== "object" || given === null) throw new TypeError("notify needs a text or an object with one");
  const { title = null, target = null, urgency = "normal" } = given as Message;
  await effect("notify", { target, title, text: requireText(given.text, "notify: text"), urgency });
}
