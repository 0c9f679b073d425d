import { z } from "zod";

/** Arguments that several tools share, so that each reads the same everywhere. */
export const jobName = z.string().min(1).max(100).describe("job name, such as feed-watch");

/** `3` or `"v3"`, given as a number. */
export const versionNumber = z
  .union([z.int().min(1), z.string().regex(/^v?[1-9]\d{0,8}$/, "versions look like v3")])
  .transform((version) => (typeof version === "number" ? version : Number(version.replace("v", ""))))
  .describe("version, such as 3 or v3");

export const waitSeconds = z.int().min(0).max(50).describe("wait up to so many seconds for the result").optional();

export const limit = z.int().min(1).max(100).default(20);

export const cursor = z.string().max(200).describe("from the page before").optional();
