import type { Plugin } from "esbuild";
import { UserError } from "../../errors.ts";
import { withEsbuild } from "../../with-esbuild.ts";

/** What to write. */
export const answerTestForm =
  "give TypeScript without imports or effects: export default (answer) => { if (…) throw new Error('why not') }";

/** Its output is "accepted", or "no function" where the default export is none. */
const entry = `import { defineJob } from "jobrunner";
import test from "answer-test";
export default defineJob({
  description: "tests an answer",
  async run({ input }) {
    if (typeof test !== "function") return "no function";
    await test(input.answer);
    return "accepted";
  },
});
`;

/** A test of an answer as one script that the sandbox can run as a job. Throws `invalid_argument` where it does not compile. */
export async function bundleAnswerTest(source: string): Promise<string> {
  try {
    const { outputFiles } = await withEsbuild(({ build }) =>
      build({
        stdin: { contents: entry, sourcefile: "entry.ts", loader: "ts" },
        plugins: [onlyTest(source)],
        bundle: true,
        write: false,
        outfile: "test.js",
        format: "cjs",
        platform: "neutral",
        target: "node24",
        logLevel: "silent",
        tsconfigRaw: {},
      }),
    );
    return outputFiles[0]?.text ?? "";
  } catch (cause) {
    throw new UserError("invalid_argument", `The test of the answer does not compile: ${String(cause).slice(0, 500)}`, {
      next: answerTestForm,
      cause,
    });
  }
}

/** Lets the one file in and nothing else; nothing is read from the disk. */
function onlyTest(source: string): Plugin {
  return {
    name: "answer-test",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind === "entry-point" || path === "jobrunner") return { path, external: path === "jobrunner" };
        if (path === "answer-test") return { path, namespace: "answer" };
        return { errors: [{ text: `a test of an answer imports nothing but "jobrunner", not "${path}"` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "answer" }, () => ({ contents: source, loader: "ts" }));
    },
  };
}
