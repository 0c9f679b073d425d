import type { AsyncLocalStorage } from "node:async_hooks";
import { type DatabaseConnection, type Dialect, type Driver, Kysely, type TransactionBuilder } from "kysely";
import type { Tables } from "./tables.ts";

/** How a connection that is the only one is used. */
export type Turns = Readonly<{
  /** Called at the end of each turn; whoever had it waits for what comes back, while the next has theirs. */
  onEnd(): Promise<void>;
}>;

/** Whether the code that runs now was called from a transaction that is still open. */
export type TransactionScope = AsyncLocalStorage<{ open: boolean }>;

/**
 * Makes the outer handle throw inside a transaction: on PGlite, which has one connection, it would wait for ever, and on
 * PostgreSQL it would write outside the transaction unseen. With `turns` the one connection is handed out in turns.
 */
export function guardedDialect(inner: Dialect, scope: TransactionScope, turns?: Turns): Dialect {
  return {
    // Claims many connections, since kysely would else wait in its own queue, ahead of the guard below.
    createAdapter: () => Object.defineProperty(inner.createAdapter(), "supportsMultipleConnections", { value: true }),
    createDriver: () => guardDriver(inner.createDriver(), scope, turns),
    createIntrospector: (db) => inner.createIntrospector(db),
    createQueryCompiler: () => inner.createQueryCompiler(),
  };
}

/** A Kysely whose transactions open the scope that `guardedDialect` looks at. */
export class GuardedKysely extends Kysely<Tables> {
  readonly #scope: TransactionScope;

  constructor(dialect: Dialect, scope: TransactionScope) {
    super({ dialect });
    this.#scope = scope;
  }

  override transaction(): TransactionBuilder<Tables> {
    const builder = super.transaction();
    const execute = builder.execute.bind(builder);
    builder.execute = (callback) => {
      const state = { open: true };
      const guarded = execute((trx) => this.#scope.run(state, () => callback(trx)));
      return guarded.finally(() => {
        state.open = false;
      });
    };
    return builder;
  }
}

function guardDriver(driver: Driver, scope: TransactionScope, turns: Turns | undefined): Driver {
  let last: Promise<void> = Promise.resolve();
  const releases = new Map<DatabaseConnection, () => void>();

  async function takeTurn(): Promise<() => void> {
    const before = last;
    const turn = Promise.withResolvers<void>();
    last = turn.promise;
    await before;
    return turn.resolve;
  }

  return {
    init: (options) => driver.init(options),
    async acquireConnection(options) {
      if (scope.getStore()?.open) throw new Error("The outer database handle was used inside a transaction: use trx.");
      if (turns === undefined) return driver.acquireConnection(options);
      const release = await takeTurn();
      try {
        const connection = await driver.acquireConnection(options);
        releases.set(connection, release);
        return connection;
      } catch (error) {
        release();
        throw error;
      }
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
    async releaseConnection(connection, options) {
      await driver.releaseConnection(connection, options);
      const ended = turns?.onEnd();
      const release = releases.get(connection);
      releases.delete(connection);
      release?.();
      await ended;
    },
    destroy: (options) => driver.destroy(options),
  };
}
