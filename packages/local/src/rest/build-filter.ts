import type { Field } from "./parse-field.ts";
import { COMPARISONS, type Condition, type Filter, type IsValue, SEARCHES } from "./parse-filter.ts";
import type { Relation } from "./schema-cache.ts";
import { arrayLiteral, ident, type Parameters } from "./sql.ts";

/** Where the columns of a field are found. */
export interface Place {
  /** FROM item, unquoted. */
  alias: string;
  relation: Relation | undefined;
}

const JSON_TYPES = new Set(["json", "jsonb"]);

/** SQL of a column, or of a value inside of it. Unknown columns are Postgres' to refuse (42703), as behind PostgREST. */
export function fieldSql({ alias, relation }: Place, { name, path }: Field, { bind }: Parameters): string {
  const column = `${ident(alias)}.${ident(name)}`;
  if (path.length === 0) return column;
  const type = relation?.columns.get(name)?.base ?? "";
  const root = JSON_TYPES.has(type) ? column : `to_jsonb(${column})`;
  const steps = path.map(
    ({ asText, isIndex, key }) => `${asText ? "->>" : "->"} ${isIndex ? `${bind(key)}::int` : bind(key)}`,
  );
  return `(${root} ${steps.join(" ")})`;
}

/** Keywords, since `is` takes no parameter. */
const IS: Record<IsValue, string> = {
  null: "is null",
  not_null: "is not null",
  true: "is true",
  false: "is false",
  unknown: "is unknown",
};

function searched(place: Place, field: Field, language: string | undefined, parameters: Parameters): string {
  const sql = fieldSql(place, field, parameters);
  if (place.relation?.columns.get(field.name)?.base === "tsvector" && field.path.length === 0) return sql;
  return `to_tsvector(${language === undefined ? "" : `${parameters.bind(language)}, `}${sql})`;
}

function operationSql(place: Place, { field, operation }: Filter, parameters: Parameters): string {
  const { bind } = parameters;
  if (operation.kind === "search") {
    const { language, operator, value } = operation;
    const vector = searched(place, field, language, parameters);
    const configuration = language === undefined ? "" : `${bind(language)}, `;
    return `${vector} @@ ${SEARCHES[operator]}(${configuration}${bind(value)})`;
  }
  const left = fieldSql(place, field, parameters);
  switch (operation.kind) {
    case "is":
      return `${left} ${IS[operation.value]}`;
    case "distinct":
      return `${left} is distinct from ${bind(operation.value)}`;
    case "in": {
      const [first, ...others] = operation.values;
      const none = first === "" && others.length === 0;
      return `${left} = any (${bind(none ? "{}" : arrayLiteral(operation.values))})`;
    }
    case "compare": {
      const { operator, quantifier, value } = operation;
      const isPattern = operator === "like" || operator === "ilike";
      const right = bind(isPattern ? value.replaceAll("*", "%") : value);
      return `${left} ${COMPARISONS[operator]} ${quantifier ? `${quantifier} (${right})` : right}`;
    }
  }
}

/**
 * SQL of a filter or of a tree of them. `special` may take a filter over, when it isn't about a column.
 */
export function conditionSql(
  place: Place,
  condition: Condition,
  parameters: Parameters,
  special: (filter: Filter) => string | undefined = () => undefined,
): string {
  if (condition.kind === "filter") {
    const taken = special(condition);
    if (taken) return taken;
    const sql = operationSql(place, condition, parameters);
    return condition.negated ? `not (${sql})` : sql;
  }
  const members = condition.members.map((member) => conditionSql(place, member, parameters, special));
  return `${condition.negated ? "not " : ""}(${members.join(` ${condition.operator} `)})`;
}
