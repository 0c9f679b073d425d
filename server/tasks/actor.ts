/** Who does something to a task, as its history keeps it. */
export type Actor = Readonly<{
  /** `person`, a host's name and version, `agent A7 (researcher)`, `job NAME R12`, `plan P3` or `daemon`. */
  actor: string;
  traceId: string | null;
}>;

/**
 * Through which door somebody came, since a name proves nothing: what is for a person is finished through the person's door only, and a
 * plan's tasks by its executor. Hosts, agents and jobs come as `agent`, which is the default everywhere.
 */
export type Door = "agent" | "person" | "plan" | "daemon";
