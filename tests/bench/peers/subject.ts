/** Somebody whose memory is looked at, and who is then killed with two runs under way. */
export type Subject = AsyncDisposable &
  Readonly<{
    name: string;
    /** The roots of its processes. */
    pids(): readonly number[];
    /** Starts a run that waits. */
    hold(): Promise<void>;
    /** What must stand before the kill. */
    prepare?: () => Promise<void>;
    /** Kills it, and starts what takes over where nobody is there yet. Undefined where no run is on record. */
    loseAndReplace?: () => Promise<void>;
    /** What its recovery waits for, by its own settings. */
    limits: string;
  }>;
