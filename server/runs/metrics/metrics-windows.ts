/** The windows that can be asked for. */
export const metricsWindows = ["1h", "24h", "7d"] as const;
export type MetricsWindow = (typeof metricsWindows)[number];
