/** Spellings of SQL that aren't names in the catalogue (PostgreSQL docs, table 8.1). */
const SPELLINGS = new Map([
  ["int", "int4"],
  ["integer", "int4"],
  ["smallint", "int2"],
  ["bigint", "int8"],
  ["real", "float4"],
  ["float", "float8"],
  ["double precision", "float8"],
  ["decimal", "numeric"],
  ["dec", "numeric"],
  ["boolean", "bool"],
  ["character varying", "varchar"],
  ["char varying", "varchar"],
  ["bit varying", "varbit"],
  ["time with time zone", "timetz"],
  ["time without time zone", "time"],
  ["timestamp with time zone", "timestamptz"],
  ["timestamp without time zone", "timestamp"],
]);

/** Without a length these mean a length of one, which the catalogue's name doesn't. */
const ONE_LONG = new Map([
  ["char", "character(1)"],
  ["character", "character(1)"],
  ["bit", "bit(1)"],
]);

/** The name to look up in the catalogue, or the SQL itself, for a type as a request writes it. */
export function readTypeName(written: string): { name: string } | { sql: string } {
  const folded = written.toLowerCase().replace(/ +/g, " ");
  const sql = ONE_LONG.get(folded);
  return sql ? { sql } : { name: SPELLINGS.get(folded) ?? folded };
}
