import { z } from "zod";

/*
 * A script of its own, which runs before main.ts where the job's bundle names `z`: what zod makes when it loads is most of what a new
 * isolate would have to be filled with.
 */
z.config({ jitless: true });
Object.defineProperty(globalThis, "__jobrunnerZod", { value: z, configurable: true });
