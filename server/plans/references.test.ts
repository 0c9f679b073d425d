import { expect, it } from "vitest";
import { fillJson, fillText, type Reference, referencesIn, valueAt } from "./references.ts";

const outputs: Record<string, string | null> = {
  a: '{"items":[{"name":"x"},{"name":"y"}],"n":3,"__proto__":null}',
  text: "plain ${a.output} words",
  none: null,
};
const value = (reference: Reference) => valueAt(reference, outputs[reference.node] ?? null);

it.each([
  ["${a.output.n}", 3],
  ["${a.output.items[1].name}", "y"],
  ["n is ${a.output.n}, first ${a.output.items[0]}", 'n is 3, first {"name":"x"}'],
  // What comes in is not read for references again.
  ["${text.output}", "plain ${a.output} words"],
  ["[${text.output}]", "[plain ${a.output} words]"],
  ["${none.output}", null],
  ["${HOME} $${a} ${a} ${a.input}", "${HOME} $${a} ${a} ${a.input}"],
])("%s is %j", (written, meant) => {
  expect(fillJson({ deep: [written] }, value)).toEqual({ deep: [meant] });
});

it.each(["${a.output.items[2]}", "${a.output.toString}", "${a.output.constructor.name}", "${text.output.length}"])(
  "%s is refused, since the output has no such part",
  (written) => {
    expect(() => fillJson(written, value)).toThrow(expect.objectContaining({ code: "input_invalid" }));
  },
);

it("references keep their order and their path", () => {
  expect(referencesIn("${b.output} then ${a-1.output.x_y[0]}")).toEqual([
    { text: "${b.output}", node: "b", path: [] },
    { text: "${a-1.output.x_y[0]}", node: "a-1", path: ["x_y", 0] },
  ]);
  expect(fillText("a $& ${b.output} $1", () => "$&")).toBe("a $& $& $1");
});
