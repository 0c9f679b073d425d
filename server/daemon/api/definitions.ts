import { homedir } from "node:os";
import { type Context, Hono } from "hono";
import { streamText } from "hono/streaming";
import { z } from "zod";
import { readDefinitionMaterial } from "../../definitions/read-definition-material.ts";
import { listDefinitions, requireDefinition } from "../../definitions/read-definitions.ts";
import { runSignedCommand } from "../../definitions/run-signed-command.ts";
import type { DefinitionsWatch } from "../../definitions/watch-definitions.ts";
import { connectMcpServer } from "../../mcp/client/connect-mcp-server.ts";
import { rejectVersion } from "../../review/reject-version.ts";
import { definitionKinds } from "../../review/subject.ts";
import type { DaemonDeps } from "../deps.ts";
import { errorFields } from "../http-errors.ts";
import { countText, parse, parseBody } from "./parse.ts";

type Deps = Pick<DaemonDeps, "store" | "approvals" | "secrets" | "log"> &
  Readonly<{ watch: Promise<DefinitionsWatch | undefined> }>;

const kind = z.enum(definitionKinds);
const rejectBody = z.strictObject({ version: z.int().positive().nullable(), note: z.string().max(2000).nullable() });
const runBody = z.strictObject({ args: z.array(z.string()).max(10_000), cwd: z.string().max(4_096).nullable() });

/** Roles, skills, MCP servers and commands at the person's door, with whole paths. Nothing here approves. */
export function definitionsApi(deps: Deps): Hono {
  const { store, secrets, log, watch } = deps;
  const subjectOf = (c: Context) => ({ kind: parse(kind, c.req.param("kind")), name: c.req.param("name") ?? "" });
  return new Hono()
    .get("/api/definitions", async (c) => {
      const wanted = c.req.query("kind");
      const problems = [...((await watch)?.problems().values() ?? [])].flat();
      const rows = await listDefinitions(deps, wanted === undefined ? undefined : parse(kind, wanted));
      return c.json({
        rows,
        problems: problems.map(({ file, line, message, hint }) => ({ file, line, message, hint })),
      });
    })
    .post("/api/definitions/sync", async (c) => {
      await parseBody(c, z.strictObject({}));
      await (await watch)?.sync();
      return c.json({});
    })
    .get("/api/definitions/shipped/review", async (c) => {
      const waiting = (await listDefinitions(deps)).filter(
        ({ origin, path, pending }) => origin === "shipped" && path !== null && pending !== null,
      );
      const materials = [];
      for (const subject of waiting) materials.push(await readDefinitionMaterial(deps, subject));
      return c.json({ materials });
    })
    .get("/api/definitions/:kind/:name/review", async (c) => {
      const asked = c.req.query("version");
      const version = asked === undefined ? undefined : parse(countText, asked);
      return c.json(await readDefinitionMaterial(deps, subjectOf(c), version));
    })
    .post("/api/definitions/:kind/:name/reject", async (c) => {
      const body = await parseBody(c, rejectBody);
      return c.json({ version: await rejectVersion(store.db, subjectOf(c), body) });
    })
    .post("/api/definitions/mcp_server/:name/check", async (c) => {
      await parseBody(c, z.strictObject({}));
      const name = c.req.param("name");
      const { version, manifest } = await requireDefinition(deps, "mcp_server", name);
      const startedMs = performance.now();
      const signal = c.req.raw.signal;
      await using server = await connectMcpServer(manifest, { name, secrets: secrets(), signal, log });
      const tools = await server.tools();
      return c.json({ version, ms: Math.round(performance.now() - startedMs), tools });
    })
    .post("/api/definitions/command/:name/run", async (c) => {
      const { args, cwd } = await parseBody(c, runBody);
      const { signal } = c.req.raw;
      // Asked before the answer begins, so that a refusal is one.
      const name = c.req.param("name");
      await requireDefinition(deps, "command", name);
      return streamText(c, async (stream) => {
        const tell = (line: unknown) => stream.write(`${JSON.stringify(line)}\n`);
        try {
          const end = await runSignedCommand(
            { ...deps, env: process.env },
            { name, args, cwd: cwd ?? homedir(), signal, onOutput: (text, from) => void tell({ [from]: text }) },
          );
          await tell({ end: { code: end.code, timedOut: end.timedOut, truncated: end.truncated } });
        } catch (thrown) {
          await tell({ error: errorFields(thrown, log) });
        }
      });
    });
}
