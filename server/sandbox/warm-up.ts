/**
 * Runs a small job in a context that is thrown away while a snapshot is made: what it calls of the guest runtime is in the snapshot as
 * compiled code, which every isolate would else compile for itself. A guest runtime of an earlier release that it does not fit goes
 * without.
 */
export const warmUp = `try {
  const calls = [];
  const none = () => {};
  const boot = globalThis.__jobrunnerBoot;
  const { start, deliver, status } = boot((seq) => calls.push(seq), none, none, () => "=");
  const info = { job: "warm-up", version: 1, run: "R1", attempt: 1, trigger: "person", slot: null, event: null };
  const limits = { logBytes: 1000, effects: 10, inFlight: 10 };
  const config = { seed: "00112233445566778899aabbccddeeff", startMs: 0, declare: false, inputJson: null, info, ...limits };
  start(JSON.stringify(config), (require, module) => {
    const run = async ({ log, kv }) => {
      log.info("a line", { with: 1 });
      return { was: await kv.get("key") };
    };
    module.exports.default = require("jobrunner").defineJob({ description: "", run });
  });
  Promise.resolve()
    .then(() => {
      status();
      for (const seq of calls) deliver(seq, true, "null", 0);
    })
    .then(none)
    .then(none)
    .then(none)
    .then(status);
} catch {}
`;
