/**
 * Makes a reader that asks at most once within `freshMs`, and once only for callers that come together. What fails is told to those who
 * wait for it and asked again by the next.
 */
export function cached<T>(load: () => Promise<T>, freshMs: number, clock: () => number): () => Promise<T> {
  let kept: { value: T; at: number } | undefined;
  let loading: Promise<T> | undefined;
  return () => {
    if (kept !== undefined && clock() - kept.at < freshMs) return Promise.resolve(kept.value);
    loading ??= load()
      .then((value) => {
        kept = { value, at: clock() };
        return value;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };
}
