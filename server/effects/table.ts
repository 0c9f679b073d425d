import type { AnyEffect } from "./define-effect.ts";
import { fetchEffect } from "./fetch.ts";
import { kvDelete, kvGet, kvList, kvSet } from "./kv.ts";
import { secretsGet } from "./secrets-get.ts";
import { secretsHmac } from "./secrets-hmac.ts";
import { timer } from "./timer.ts";

/** Every call that a job can make, and nothing else. */
export const effects: readonly AnyEffect[] = [
  fetchEffect,
  timer,
  kvGet,
  kvSet,
  kvDelete,
  kvList,
  secretsGet,
  secretsHmac,
];
