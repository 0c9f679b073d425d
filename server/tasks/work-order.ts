import { type RawBuilder, sql } from "kysely";

/**
 * In which order work is taken: the more urgent first, then the higher priority, then what is due first, then the older. Written as in
 * the index tasks_to_do, which is used only where both are the same expression.
 */
export const workRank: RawBuilder<number> = sql<number>`(-tasks.priority - case tasks.urgency when 'now' then 3000 when 'high' then 2000 when 'normal' then 1000 else 0 end)`;
export const workDue: RawBuilder<Date> = sql<Date>`(coalesce(tasks.due, 'infinity'::timestamptz))`;

/** What may be taken now: open, or its holder's lease has run out; nothing that it needs and no part of it is left. */
export const isReady: RawBuilder<boolean> = sql<boolean>`(tasks.state in ('open', 'in_progress')
  and (tasks.state = 'open' or tasks.claimed_until <= now()) and tasks.waits_for = 0 and tasks.open_children = 0)`;
