import { Duplex } from "node:stream";
import type { PGlite } from "@electric-sql/pglite";

type Done = (error?: Error | null) => void;

/**
 * PGlite as what the `pg` client takes for its socket. All messages of a query reach the database in one call, where PGlite's own
 * `query` makes one call each, and `pg` can keep statements prepared.
 */
export class PgliteStream extends Duplex {
  readonly #pglite: PGlite;

  constructor(pglite: PGlite) {
    super({ allowHalfOpen: false });
    this.#pglite = pglite;
  }

  connect(): this {
    setImmediate(() => this.emit("connect"));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#execute(chunk, done);
  }

  override _writev(writes: { chunk: Buffer }[], done: Done): void {
    this.#execute(Buffer.concat(writes.map(({ chunk }) => chunk)), done);
  }

  override _final(done: Done): void {
    this.push(null);
    done();
  }

  /** Executes at once; as a stream, since PGlite else parses the whole answer, which `pg` then does again. */
  #execute(messages: Buffer, done: Done): void {
    const parts: Uint8Array[] = [];
    // Each part is a view of memory that the next one overwrites.
    const onRawData = (part: Uint8Array) => void parts.push(part.slice());
    const push = () => {
      if (parts.length > 0) this.push(Buffer.concat(parts));
    };
    this.#pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData }).then(
      () => {
        push();
        done();
      },
      (thrown: unknown) => {
        push();
        done(thrown instanceof Error ? thrown : new Error(String(thrown)));
      },
    );
  }
}
