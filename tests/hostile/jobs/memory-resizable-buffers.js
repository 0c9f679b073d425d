// outcome: out_of_memory|failed|crashed
import { defineJob } from "jobrunner";

export default defineJob({
  description: "hostile: memory resizable buffers",
  async run() {
    const kept = [];
    for (;;) {
      const buffer = new ArrayBuffer(0, { maxByteLength: 2 ** 30 });
      buffer.resize(2 ** 28);
      new Uint8Array(buffer).fill(1);
      kept.push(buffer);
    }
  },
});
