/** Oid of `unknown`: Postgres infers the type, and postgres.js sends the text as it is. */
export const UNTYPED = 705;

/** A name in double quotes. Postgres ends a statement at a null character, so a name with one is a bug. */
export function ident(name: string): string {
  if (name.includes("\0")) throw new Error("an SQL name with a null character");
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name within its schema. */
export const qualified = (schema: string, name: string): string => `${ident(schema)}.${ident(name)}`;

/** A Postgres array literal of texts; it goes as one parameter and Postgres reads it as the column's type. */
export const arrayLiteral = (values: string[]): string =>
  `{${values.map((value) => `"${value.replace(/[\\"]/g, "\\$&")}"`).join(",")}}`;

/** Collects the values of one statement: everything from a request that isn't a known name goes through here. */
export class Parameters {
  readonly values: string[] = [];

  /** Stands for `value` in the SQL; Postgres infers the type from the place. */
  bind = (value: string): string => `$${this.values.push(value)}`;
}

/** Names for FROM items, each once in a statement, never longer than Postgres keeps (63 bytes). */
export class Aliases {
  private readonly used = new Set<string>();

  /** `name` itself; for the root, so that error messages name the table. */
  root(name: string): string {
    this.used.add(name);
    return name;
  }

  /** `name_1`, `name_2` … */
  next(name: string): string {
    // A letter takes 4 bytes at most.
    const stem = name.slice(0, 12);
    for (let number = 1; ; number++) {
      const alias = `${stem}_${number}`;
      if (this.used.has(alias)) continue;
      this.used.add(alias);
      return alias;
    }
  }
}
