import type postgres from "postgres";
import { notServed, RestError } from "./errors.ts";
import { groupBy } from "./group-by.ts";
import { type Relationship, type RelationshipSource, relationshipsOf } from "./relationships.ts";
import { type Catalogue, type Column, type Routine, readCatalogue } from "./schema-query.ts";
import { mostSimilar } from "./similar.ts";
import { qualified } from "./sql.ts";
import { readTypeName } from "./type-names.ts";

/** A table or view that can be asked for. */
export interface Relation {
  schema: string;
  name: string;
  isView: boolean;
  primaryKey: string[];
  isRepresented: boolean;
  columns: Map<string, Column>;
}

/** Searched behind the request's own schema, as hosted projects are configured (`db-extra-search-path`). */
export const EXTRA_SEARCH_PATH = ["public", "extensions"];

/** The exposed part of one schema. */
export class SchemaView implements RelationshipSource {
  readonly schema: string;
  readonly relations: Map<string, Relation>;
  readonly routines: Map<string, Routine[]>;
  readonly relationships: Map<string, Relationship[]>;
  private readonly computed: Set<string>;
  private readonly types: Map<string, string>;

  constructor(catalogue: Catalogue, schema: string) {
    this.schema = schema;
    const here = <T extends { schema: string }>(items: T[]): T[] =>
      items.filter((item) => item.schema === schema);
    this.relations = new Map(
      here(catalogue.relations).map((relation) => [
        relation.name,
        { ...relation, columns: new Map(relation.columns.map((column) => [column.name, column])) },
      ]),
    );
    this.routines = groupBy(here(catalogue.routines), (routine) => routine.name);
    this.relationships = relationshipsOf(catalogue, schema);
    this.computed = new Set(here(catalogue.computed).map(({ relation, name }) => `${relation}\0${name}`));
    this.types = new Map();
    const path = ["pg_catalog", schema, ...EXTRA_SEARCH_PATH];
    for (const place of path.reverse())
      for (const type of catalogue.types)
        if (type.schema === place) this.types.set(type.name, qualified(type.schema, type.name));
  }

  isView(name: string): boolean {
    return this.relations.get(name)?.isView ?? false;
  }

  isComputed(origin: string, name: string): boolean {
    return this.computed.has(`${origin}\0${name}`);
  }

  /** Throws RestError PGRST205, 501. */
  relation(name: string): Relation {
    const found = this.relations.get(name);
    if (found?.isRepresented) throw notServed("Domain representations");
    if (found) return found;
    const similar = mostSimilar(name, this.relations.keys(), 0.75);
    throw new RestError(
      404,
      "PGRST205",
      `Could not find the table '${this.schema}.${name}' in the schema cache`,
      { hint: similar ? `Perhaps you meant the table '${this.schema}.${similar}'` : null },
    );
  }

  /** SQL of the type that a cast names; only what the catalogue has. Throws RestError 42704. */
  castType(written: string): string {
    const read = readTypeName(written);
    const sql = "sql" in read ? read.sql : this.types.get(read.name);
    if (!sql) throw new RestError(400, "42704", `type "${written.toLowerCase()}" does not exist`);
    return sql;
  }
}

/** One reading of the catalogue. */
export class Schema {
  readonly views: Map<string, SchemaView>;
  /** Distinguishes this reading from earlier ones: what was prepared under another is prepared anew. */
  readonly number: number;
  private readonly roles: Map<string, Record<string, string>>;
  private readonly session: Record<string, string>;

  constructor(catalogue: Catalogue, schemas: string[], number: number) {
    this.number = number;
    this.views = new Map(schemas.map((schema) => [schema, new SchemaView(catalogue, schema)]));
    this.roles = new Map(catalogue.roles.map((role) => [role.name, role.settings]));
    this.session = catalogue.session;
  }

  /** Settings that a session of `role` has behind PostgREST, statement_timeout above all: `set role` brings none. */
  settingsOf(role: string): Record<string, string> {
    return { ...this.session, ...this.roles.get(role) };
  }
}

/** Keeps the latest reading until it is told to drop it. */
export class SchemaCache {
  private readonly sql: postgres.Sql;
  private readonly schemas: string[];
  private current: Promise<Schema> | undefined;
  private readings = 0;

  constructor(sql: postgres.Sql, schemas: string[]) {
    this.sql = sql;
    this.schemas = schemas;
  }

  /** The catalogue is read again by the next `get`. A reading under way counts for those who wait for it only. */
  drop(): void {
    this.current = undefined;
  }

  /** A reading later than `schema`, which lacked something. */
  after(schema: Schema): Promise<Schema> {
    if (this.readings === schema.number) this.drop();
    return this.get();
  }

  get(): Promise<Schema> {
    if (this.current) return this.current;
    const number = ++this.readings;
    const reading = readCatalogue(this.sql, this.schemas).then(
      (catalogue) => new Schema(catalogue, this.schemas, number),
    );
    this.current = reading;
    reading.catch(() => {
      if (this.current === reading) this.current = undefined;
    });
    return reading;
  }
}
