/** Lets two pieces of work go on at a time; each gets the place that it holds. */
export function twoAtATime(): <T>(work: (place: number) => Promise<T>) => Promise<T> {
  const free = [0, 1];
  const waiting: ((place: number) => void)[] = [];
  return async (work) => {
    const place = free.pop() ?? (await new Promise<number>((resolve) => waiting.push(resolve)));
    try {
      return await work(place);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(place);
      else next(place);
    }
  };
}
