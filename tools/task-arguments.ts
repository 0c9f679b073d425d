import { z } from "zod";
import type { Actor } from "../server/tasks/actor.ts";
import { parseDue } from "../server/tasks/due.ts";
import { hostLabel, type ToolContext } from "./tool-context.ts";

/** Arguments that the tools of tasks share. */
export const taskHandle = z.union([z.string().max(20), z.int().min(1)]).describe("such as T12");
export const urgency = z.enum(["low", "normal", "high", "now"]).optional();
export const complexity = z.enum(["low", "medium", "high"]).optional();
export const priority = z.int().min(-100).max(100).optional();
export const labels = z.array(z.string().max(60)).max(20).optional();
export const due = z.string().max(40).describe("day or time, such as 2026-12-01").optional();
export const longText = z.string().max(50_000);

/** An optional due as a Date; an empty one takes it away. Throws invalid_argument. */
export function readDue(written: string | undefined): Date | null | undefined {
  return written === undefined ? undefined : written.trim() === "" ? null : parseDue(written);
}

/** An optional text of which an empty one takes away what was there. */
export function orNull(text: string | undefined): string | null | undefined {
  return text?.trim() === "" ? null : text;
}

/** The caller, as a task's history keeps it. */
export function actorOf({ client, traceId }: ToolContext): Actor {
  return { actor: hostLabel(client), traceId };
}
