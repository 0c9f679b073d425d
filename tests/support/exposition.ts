export type Sample = Readonly<{ name: string; labels: Readonly<Record<string, string>>; value: number }>;

/** The samples of a text in Prometheus' format. Throws where a line is none. */
export function readExposition(text: string): Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, written = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined || Number.isNaN(Number(value?.replace("+Inf", "Infinity")))) {
        throw new Error(`not a sample: ${line}`);
      }
      const labels = Object.fromEntries(
        [...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
      );
      return { name, labels, value: Number(value) };
    });
}

/** The value of the one sample of that name that has these labels; undefined where there is none. */
export function sampleOf(samples: readonly Sample[], name: string, labels: Sample["labels"] = {}): number | undefined {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} have these labels`);
  return found[0]?.value;
}
