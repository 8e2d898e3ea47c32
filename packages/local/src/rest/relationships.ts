import { notServed, RestError } from "./errors.ts";
import { groupBy } from "./group-by.ts";
import type { Catalogue, CatalogueForeignKey } from "./schema-query.ts";
import { mostSimilar } from "./similar.ts";

/** How many rows there may be at either end. */
export type Cardinality = "many-to-one" | "one-to-many" | "one-to-one" | "many-to-many";

/** A way from rows of one table to rows of another, along a foreign key, or along two and the table between. */
export interface Relationship {
  cardinality: Cardinality;
  /** Names of the foreign keys; the second of `many-to-many` leads from the junction to the target. */
  constraints: string[];
  origin: string;
  target: string;
  /** Pairs of equal columns: origin's and target's; of `many-to-many`, origin's and the junction's. */
  columns: [string, string][];
  /** The table between, and its columns paired with the target's. */
  junction: { schema: string; name: string; columns: [string, string][] } | undefined;
}

const zip = (a: string[], b: string[]): [string, string][] => a.map((name, i) => [name, b[i] ?? ""]);
const swap = (pairs: [string, string][]): [string, string][] => pairs.map(([a, b]) => [b, a]);

function manyToMany(first: CatalogueForeignKey, second: CatalogueForeignKey): Relationship {
  return {
    cardinality: "many-to-many",
    constraints: [first.name, second.name],
    origin: first.foreignRelation,
    target: second.foreignRelation,
    columns: zip(first.foreignColumns, first.columns),
    junction: {
      schema: first.schema,
      name: first.relation,
      columns: zip(second.columns, second.foreignColumns),
    },
  };
}

/** Every relationship between tables of `schema`, in both directions, by the name of the origin. */
export function relationshipsOf(catalogue: Catalogue, schema: string): Map<string, Relationship[]> {
  const all: Relationship[] = [];
  const keys = catalogue.foreignKeys;
  for (const key of keys) {
    if (key.schema === schema && key.foreignSchema === schema) {
      const one = {
        constraints: [key.name],
        origin: key.relation,
        target: key.foreignRelation,
        columns: zip(key.columns, key.foreignColumns),
        junction: undefined,
      };
      all.push({ ...one, cardinality: key.isUnique ? "one-to-one" : "many-to-one" });
      all.push({
        ...one,
        cardinality: key.isUnique ? "one-to-one" : "one-to-many",
        origin: key.foreignRelation,
        target: key.relation,
        columns: swap(one.columns),
      });
    }
    if (!key.inPrimaryKey || key.isUnique || key.foreignSchema !== schema) continue;
    for (const other of keys)
      if (
        other !== key &&
        other.schema === key.schema &&
        other.relation === key.relation &&
        other.inPrimaryKey &&
        !other.isUnique &&
        other.foreignSchema === schema
      )
        all.push(manyToMany(key, other));
  }
  return groupBy(all, (relationship) => relationship.origin);
}

const single = (pairs: [string, string][], side: 0 | 1): string | undefined =>
  pairs.length === 1 ? pairs[0]?.[side] : undefined;

/** PostgREST's reading of the name and the hint of an embedding (PostgREST docs, "Resource Embedding"). */
function matches(relationship: Relationship, name: string, hint: string | undefined): boolean {
  const { cardinality, columns, constraints, origin, target, junction } = relationship;
  const byKey = junction ? undefined : columns;
  const ownColumn = byKey && single(byKey, 0);
  const foreignColumn = byKey && single(byKey, 1);
  if (origin === target) {
    if (hint !== undefined) return name === target && cardinality === "one-to-many" && hint === foreignColumn;
    if (name === target && cardinality === "one-to-many") return true;
    return cardinality === "many-to-one" && name === ownColumn;
  }
  const constraint = junction ? undefined : constraints[0];
  if (hint === undefined) return name === target || name === constraint || name === ownColumn;
  return (
    name === target &&
    (hint === constraint || hint === ownColumn || hint === foreignColumn || hint === junction?.name)
  );
}

const columnList = (pairs: [string, string][], side: 0 | 1): string =>
  `(${pairs.map((pair) => pair[side]).join(", ")})`;

function describe({ cardinality, constraints, columns, junction, origin, target }: Relationship) {
  const relationship = junction
    ? `${junction.name} using ${constraints[0]}${columnList(columns, 1)} and ${constraints[1]}${columnList(junction.columns, 0)}`
    : `${constraints[0]} using ${origin}${columnList(columns, 0)} and ${target}${columnList(columns, 1)}`;
  return { cardinality, embedding: `${origin} with ${target}`, relationship };
}

function ambiguous(origin: string, name: string, found: Relationship[]): RestError {
  const hints = found.map(
    ({ constraints, junction, target }) => `'${target}!${junction?.name ?? constraints[0]}'`,
  );
  return new RestError(
    300,
    "PGRST201",
    `Could not embed because more than one relationship was found for '${origin}' and '${name}'`,
    {
      details: found.map(describe),
      hint: `Try changing '${name}' to one of the following: ${hints.join(", ")}. Find the desired relationship in the 'details' key.`,
    },
  );
}

/** What `findRelationship` looks in. */
export interface RelationshipSource {
  schema: string;
  relationships: Map<string, Relationship[]>;
  isView(name: string): boolean;
  isComputed(origin: string, name: string): boolean;
}

/**
 * The one relationship that an embedding means.
 * Throws RestError PGRST200 (none), PGRST201 (several), 501 (through a view or a function).
 */
export function findRelationship(
  source: RelationshipSource,
  origin: string,
  name: string,
  hint: string | undefined,
): Relationship {
  if (source.isComputed(origin, name))
    throw notServed("Embedding through a function (computed relationship)");
  const candidates = source.relationships.get(origin) ?? [];
  const found = candidates.filter((relationship) => matches(relationship, name, hint));
  const [first, second] = found;
  if (first && !second) return first;
  if (first) throw ambiguous(origin, name, found);
  if (source.isView(origin) || source.isView(name)) throw notServed("Embedding from or into a view");
  const similar = mostSimilar(name, new Set(candidates.map(({ target }) => target)), 0.33);
  throw new RestError(
    400,
    "PGRST200",
    `Could not find a relationship between '${origin}' and '${name}' in the schema cache`,
    {
      details: `Searched for a foreign key relationship between '${origin}' and '${name}'${hint === undefined ? "" : ` using the hint '${hint}'`} in the schema '${source.schema}', but no matches were found.`,
      hint: similar && similar !== name ? `Perhaps you meant '${similar}' instead of '${name}'.` : null,
    },
  );
}
