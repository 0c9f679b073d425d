/** Most statements that stay prepared; the one that was used longest ago makes room. */
const most = 200;

/** Names by which statements stay prepared in one session. `unused` is one that has to make room for it. */
export type StatementNames = Readonly<{ nameOf(sql: string): { name: string; unused: string | undefined } }>;

export function createStatementNames(): StatementNames {
  const names = new Map<string, string>();
  let made = 0;
  return {
    nameOf(sql) {
      const known = names.get(sql);
      const name = known ?? `s${++made}`;
      names.delete(sql);
      names.set(sql, name);
      const [oldest] = names.size > most ? names : [];
      if (oldest !== undefined) names.delete(oldest[0]);
      return { name, unused: oldest?.[1] };
    },
  };
}
