/** Most statements that stay prepared; the one that was used longest ago makes room. */
const most = 200;

/** Names by which statements stay prepared in one session. `drop` gets those that are not used any more. */
export function createStatementNames(drop: (name: string) => void): { nameOf(sql: string): string } {
  const names = new Map<string, string>();
  let made = 0;
  return {
    nameOf(sql) {
      const known = names.get(sql);
      const name = known ?? `s${++made}`;
      names.delete(sql);
      names.set(sql, name);
      const [oldest] = names.size > most ? names : [];
      if (oldest !== undefined) {
        names.delete(oldest[0]);
        drop(oldest[1]);
      }
      return name;
    },
  };
}
