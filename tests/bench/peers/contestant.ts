/** What a contestant stands on. */
export type Ground = Readonly<{
  /** A folder of its own. */
  folder: string;
  /** An empty PostgreSQL database of its own; empty where it asked for none. */
  databaseUrl: string;
  redisPort: number;
  /** A URL that is never answered. */
  holdUrl: string;
  /** Called with the first line of a no-op run. */
  onLine(): void;
  /** Called with the first line of a run of a slot. */
  onSlot(): void;
}>;

/** A scheduler or queue that runs the same job as every other: one line, then the end. At most two runs at a time. */
export type Contestant = AsyncDisposable &
  Readonly<{
    /** Asks for a run; resolves when it has ended. */
    run(): Promise<void>;
    /** Starts a run that fetches `holdUrl` and waits for the answer. Undefined where nothing is kept for another process. */
    hold?(): Promise<void>;
    /** Fires a job in each second; resolves with what stops that. Undefined where its cron knows no seconds. */
    everySecond?(): Promise<() => Promise<void>>;
  }>;

export type Needs = Readonly<{ postgres?: true; redis?: true }>;
export type StartContestant = (ground: Ground) => Promise<Contestant>;
