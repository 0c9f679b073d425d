import { build } from "esbuild";
import { expect, test } from "vitest";
import { packageRoot } from "../home.ts";

test("nothing of the database, of approvals or of the daemon is loaded into an agent's process", async () => {
  const { metafile } = await build({
    absWorkingDir: packageRoot,
    entryPoints: ["server/agents/child.ts"],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    metafile: true,
    write: false,
    outdir: "unused",
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  const loaded = Object.keys(metafile.inputs);
  expect(loaded).toContain("server/agents/loop/run-loop.ts");
  expect(loaded.filter((file) => /^server\/(store|review|daemon|runs|sandbox)\/|^tools\//.test(file))).toEqual([]);
});
