import { commandRun } from "./command-run.ts";
import type { WorkspaceTool } from "./define-workspace-tool.ts";
import { fileList } from "./file-list.ts";
import { fileRead } from "./file-read.ts";
import { fileSearch } from "./file-search.ts";
import { fileWrite } from "./file-write.ts";
import { agentSkillRead } from "./skill-read.ts";
import { webFetch } from "./web-fetch.ts";

/** What agents do with files, hosts, programs and skills. `answer` is the loop's own. */
export const workspaceTools: readonly WorkspaceTool[] = [
  fileRead,
  fileList,
  fileSearch,
  fileWrite,
  webFetch,
  commandRun,
  agentSkillRead,
];
