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

  #execute(messages: Buffer, done: Done): void {
    try {
      const { buffer, byteOffset, byteLength } = this.#pglite.execProtocolRawSync(messages);
      if (byteLength > 0) this.push(Buffer.from(buffer, byteOffset, byteLength));
      done();
    } catch (thrown) {
      done(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }
}
