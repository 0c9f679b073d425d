import { encodeBase64, toBytes } from "./bytes.ts";
import { effect } from "./effect.ts";

/** Secrets by placeholder: the value itself never enters the sandbox. */
export const secrets = Object.freeze({
  get: async (name: string) => (await effect<{ placeholder: string }>("secrets.get", { name })).placeholder,
  hmac: async (
    name: string,
    data: string | ArrayBuffer | ArrayBufferView,
    options: { algorithm?: string; encoding?: "hex" | "base64" } = {},
  ) => {
    const { algorithm = "SHA-256", encoding = "hex" } = options;
    return (
      await effect<{ digest: string }>("secrets.hmac", { name, algorithm, data: encodeBase64(toBytes(data)), encoding })
    ).digest;
  },
});
