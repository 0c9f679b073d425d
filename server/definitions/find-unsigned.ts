import { subjectWord } from "../review/subject.ts";
import type { Db } from "../store/open-store.ts";

/** Something that waits for the person, and the words of the command with which they look at it; its name where it is one thing. */
export type Unsigned = Readonly<{ what: string; words: readonly string[]; name: string | null }>;

const shown = 20;

/** Definitions that wait for a signature: what comes with the program together, the others one by one. */
export async function findUnsigned(db: Db): Promise<Unsigned[]> {
  const rows = await db
    .selectFrom("definitions as d")
    .innerJoin("definition_files as f", (join) => join.onRef("f.kind", "=", "d.kind").onRef("f.name", "=", "d.name"))
    .select(["d.kind", "d.name", "d.number", "f.origin"])
    .where("d.state", "=", "pending")
    .where("f.path", "is not", null)
    .orderBy("d.kind")
    .orderBy("d.name")
    .execute();
  const shipped = rows.filter(({ origin }) => origin === "shipped");
  const others = rows.filter(({ origin }) => origin !== "shipped");
  return [
    ...others.slice(0, shown).map((row) => {
      const word = subjectWord(row);
      return { what: `review ${word} v${row.number}`, words: ["approve", word], name: word };
    }),
    ...(shipped.length === 0
      ? []
      : [
          {
            what: `review ${shipped.length} role${shipped.length === 1 ? "" : "s"} and skills that come with JobRunner`,
            words: ["approve", "--shipped"],
            name: null,
          },
        ]),
  ];
}
