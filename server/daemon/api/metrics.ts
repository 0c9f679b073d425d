import { Hono } from "hono";
import { z } from "zod";
import { metricsWindows } from "../../runs/metrics/metrics-windows.ts";
import type { Metrics } from "../metrics/create-metrics.ts";
import { parse } from "./parse.ts";

const query = z.strictObject({ window: z.enum(metricsWindows).default("24h") });

/** Figures of a window of time, for `jr metrics` and the console. */
export function metricsApi(metrics: Metrics): Hono {
  return new Hono().get("/api/metrics", async (c) => c.json(await metrics.summary(parse(query, c.req.query()).window)));
}
