/*
 * The jobs of the chaos suite. Each request that they make names its run, so that a server outside can tell what happened.
 */

const job = (port: number, description: string, more: string, body: string) => `import { defineJob } from "jobrunner";
export default defineJob({
  description: "${description}",
  permissions: { net: [{ host: "127.0.0.1:${port}", private: true }] },
  limits: { timeout: "5m", cpu: "5m", runsPerHour: 100000 },
  ${more}
  async run({ run, kv, log, sleep }) {
    const say = async (step: string, method: string) => {
      try {
        await fetch("http://127.0.0.1:${port}/" + run.run + "/" + run.attempt + "/" + step, { method });
      } catch (error) {
        // A POST that was cut off: nobody knows whether it happened, and it must not happen again.
        if (!(error instanceof Error && "code" in error && error.code === "uncertain")) throw error;
      }
    };
    ${body}
  },
});
`;

/** Sources by name. `alone` may have one live run at a time; `steps` any number. */
export function chaosJobs(port: number): Record<string, string> {
  const many = 'schedule: { cron: "0 0 1 1 *", overlap: "allow" },';
  return {
    steps: job(
      port,
      "requests one after another and side by side",
      `${many} onUncertain: "skip",`,
      `for (let n = 0; n < 4; n++) {
      await Promise.all([say("put-" + n, "PUT"), say("post-" + n, "POST")]);
      await kv.set(run.run, n);
      log.info("step " + n);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return kv.get(run.run);`,
    ),
    alone: job(
      port,
      "never beside another run of its own",
      'onUncertain: "skip",',
      `await say("put-begin", "PUT");
    await new Promise((resolve) => setTimeout(resolve, 40));
    await say("put-end", "PUT");`,
    ),
    failing: job(
      port,
      "fails twice, then does not",
      `${many} retry: { attempts: 3, delay: "200ms", backoff: "fixed" }, onUncertain: "skip",`,
      `await say("post-once", "POST");
    if (run.attempt < 3) throw new Error("not yet");`,
    ),
    sleeping: job(
      port,
      "sleeps without a process",
      `${many} onUncertain: "skip",`,
      `await say("post-before", "POST");
    await sleep("3s");
    await say("post-after", "POST");`,
    ),
  };
}
