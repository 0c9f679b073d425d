/** Tools of an agent that are no MCP tools: what it does with files, hosts and programs, as its permissions say. */
export const workspaceTools = [
  "file_read",
  "file_list",
  "file_search",
  "file_write",
  "web_fetch",
  "command_run",
  "answer",
] as const;

/** JobRunner's own tools, which roles may name; a test compares them with the table of tools. None of them approves anything. */
export const jobRunnerTools = [
  "job_submit",
  "job_rehearse",
  "job_list",
  "job_read",
  "job_review",
  "job_run",
  "job_control",
  "run_list",
  "run_read",
  "run_control",
  "task_create",
  "task_list",
  "task_read",
  "task_update",
  "plan_create",
  "plan_control",
  "agent_spawn",
  "agent_read",
  "skill_read",
  "status",
] as const;

/** Every tool that a role may name. */
export const agentTools: readonly string[] = [...workspaceTools, ...jobRunnerTools];
