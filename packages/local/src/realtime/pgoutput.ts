/**
 * A row as Postgres prints it, in the order of the relation's columns: text, null, or undefined for a stored-apart
 * (TOAST) value that an update left as it was.
 */
export type Tuple = (string | null | undefined)[];

/** A published table as of the change. `key` marks the columns of the replica identity. */
export interface Relation {
  oid: number;
  schema: string;
  table: string;
  columns: { name: string; key: boolean }[];
}

/** Messages of pgoutput, protocol version 1, that carry data. */
export type PgoutputMessage =
  | { tag: "begin"; commitTimeMs: number }
  | { tag: "relation"; relation: Relation }
  | { tag: "insert"; oid: number; row: Tuple }
  /** `old` is the old key or, with `replica identity full`, the old row; absent when the key stayed the same. */
  | { tag: "update"; oid: number; row: Tuple; old: Tuple | undefined }
  | { tag: "delete"; oid: number; old: Tuple };

/** Milliseconds from 1970 to 2000, where Postgres' clock starts. */
export const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

class Reader {
  private offset = 1;
  private readonly data: Buffer;

  constructor(data: Buffer) {
    this.data = data;
  }

  int8 = (): number => this.data.readUInt8(this.skip(1));
  int16 = (): number => this.data.readUInt16BE(this.skip(2));
  int32 = (): number => this.data.readUInt32BE(this.skip(4));
  int64 = (): bigint => this.data.readBigInt64BE(this.skip(8));

  text(): string {
    const end = this.data.indexOf(0, this.offset);
    const text = this.data.toString("utf8", this.offset, end);
    this.offset = end + 1;
    return text;
  }

  tuple(): Tuple {
    return Array.from({ length: this.int16() }, () => {
      const kind = String.fromCharCode(this.int8());
      if (kind === "n") return null;
      if (kind === "u") return undefined;
      if (kind !== "t") throw new Error(`pgoutput: column value of kind "${kind}"`);
      const length = this.int32();
      const start = this.skip(length);
      return this.data.toString("utf8", start, start + length);
    });
  }

  /** Moves on by `bytes`; returns where they start. */
  private skip(bytes: number): number {
    const start = this.offset;
    this.offset += bytes;
    return start;
  }
}

/**
 * Reads one pgoutput message; undefined for those without data (commit, truncate, origin, type).
 * https://www.postgresql.org/docs/17/protocol-logicalrep-message-formats.html
 */
export function decodePgoutput(data: Buffer): PgoutputMessage | undefined {
  const reader = new Reader(data);
  switch (String.fromCharCode(data[0] ?? 0)) {
    case "B": {
      reader.int64(); // LSN of the commit
      return { tag: "begin", commitTimeMs: POSTGRES_EPOCH_MS + Number(reader.int64() / 1000n) };
    }
    case "R":
      return { tag: "relation", relation: readRelation(reader) };
    case "I": {
      const oid = reader.int32();
      reader.int8(); // "N"
      return { tag: "insert", oid, row: reader.tuple() };
    }
    case "U": {
      const oid = reader.int32();
      let part = String.fromCharCode(reader.int8());
      let old: Tuple | undefined;
      if (part !== "N") {
        old = reader.tuple();
        part = String.fromCharCode(reader.int8());
      }
      return { tag: "update", oid, row: reader.tuple(), old };
    }
    case "D": {
      const oid = reader.int32();
      reader.int8(); // "K" or "O"
      return { tag: "delete", oid, old: reader.tuple() };
    }
    case "C":
    case "T":
    case "O":
    case "Y":
    case "M":
      return undefined;
    default:
      throw new Error(`pgoutput: unknown message ${data[0]}`);
  }
}

function readRelation(reader: Reader): Relation {
  const oid = reader.int32();
  const schema = reader.text() || "pg_catalog";
  const table = reader.text();
  reader.int8(); // replica identity
  const columns = Array.from({ length: reader.int16() }, () => {
    const key = reader.int8() === 1;
    const name = reader.text();
    reader.int32(); // type
    reader.int32(); // type modifier
    return { name, key };
  });
  return { oid, schema, table, columns };
}
