/** What went wrong with a request, and what to do about it. Thrown by the client, caught by the sync. */
export class GithubError extends Error {
  override readonly name = "GithubError";
  readonly kind: "limited" | "refused" | "gone" | "unavailable";
  /** When to try again at the earliest; null leaves it to the back-off. */
  readonly waitMs: number | null;

  /**
   * `limited`: too many requests. `refused`: it did not happen, and will not unless something changes. `gone`: there is no such issue or
   * repository for this token. `unavailable`: whether it happened is not known.
   */
  constructor(kind: GithubError["kind"], message: string, waitMs: number | null = null) {
    super(message);
    this.kind = kind;
    this.waitMs = waitMs;
  }
}
