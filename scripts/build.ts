import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleGuest } from "../server/sandbox/guest-bundle.ts";

/* Compiles the package into dist/: the program by tsc, and beside it what is not TypeScript for Node. */
const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
const at = (path: string) => resolve(root, path);

rmSync(at("dist"), { recursive: true, force: true });
execFileSync(at("node_modules/.bin/tsc"), ["-p", at("tsconfig.build.json")], { stdio: "inherit" });
writeFileSync(at("dist/server/sandbox/guest.js"), await bundleGuest(at("server/sandbox/guest")));
copyFileSync(at("server/sandbox/jobrunner.d.ts"), at("dist/server/sandbox/jobrunner.d.ts"));
