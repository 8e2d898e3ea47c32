import { Socket } from "node:net";

/**
 * For postgres.js's option `socket`: a connection whose loss is told as an error first, and as its end only `graceMs` later.
 * The driver forgets the socket at the end, and a transaction that goes on after that, if only with its own rollback,
 * brings the process down (porsager/postgres, issue 1208). Until then each statement of it is refused, as it should be, so
 * `graceMs` has to outlast a transaction's longest pause between two statements.
 */
export function patientSocket(graceMs: number): (options: { host: string[]; port: number[] }) => Socket {
  return ({ host, port }) => {
    const socket = new PatientSocket(graceMs);
    socket.setKeepAlive(true);
    // What the driver writes before the connection stands waits in the socket.
    socket.connect(port[0] as number, host[0] as string);
    socket.refuseWritesWhenGone();
    return socket;
  };
}

class PatientSocket extends Socket {
  readonly #graceMs: number;

  constructor(graceMs: number) {
    // Or the server's end would look like one that was asked for.
    super({ allowHalfOpen: true });
    this.#graceMs = graceMs;
    this.once("end", () => this.destroy());
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    // An end that was asked for is told at once.
    if (event !== "close" || this.writableEnded) return super.emit(event, ...args);
    this.#refuse();
    setTimeout(() => this.#tellEnd(), this.#graceMs);
    return true;
  }

  /**
   * The driver puts a write off to an immediate, which it clears at the end and then takes for still to come, so that this
   * connection never writes again (postgres 3.4.9, src/connection.js, `closed`). So what it clears is done first: it is
   * refused like every other write.
   */
  #tellEnd(): void {
    const { clearImmediate } = globalThis;
    globalThis.clearImmediate = (pending) => {
      globalThis.clearImmediate = clearImmediate;
      (pending as { _onImmediate?: (() => void) | null } | null | undefined)?._onImmediate?.();
      this.#refuse();
      clearImmediate(pending);
    };
    super.emit("close", true);
    globalThis.clearImmediate = clearImmediate;
  }

  /** To be called after `connect`, which puts the class's own `write` in place of any other. */
  refuseWritesWhenGone(): void {
    const write = this.write.bind(this) as (chunk: Uint8Array, done?: () => void) => boolean;
    this.write = ((chunk: Uint8Array, done?: () => void) => {
      if (!this.destroyed) return write(chunk, done);
      setImmediate(() => this.#refuse());
      return true;
    }) as Socket["write"];
  }

  /** Everything that the driver waits for on this connection fails. */
  #refuse(): void {
    const error = Object.assign(new Error("the connection to Postgres is gone"), {
      code: "CONNECTION_CLOSED",
    });
    if (this.listenerCount("error") > 0) super.emit("error", error);
  }
}
