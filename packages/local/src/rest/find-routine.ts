import { RestError } from "./errors.ts";
import type { SchemaView } from "./schema-cache.ts";
import type { Argument, Routine } from "./schema-query.ts";
import { mostSimilar } from "./similar.ts";

/** Takes the whole JSON body as its one argument, which has no name. */
export const takesBody = ({ args }: Routine): boolean => args.length === 1 && args[0]?.name === "";

function accepts({ args }: Routine, given: Set<string>): boolean {
  const names = new Set(args.map(({ name }) => name));
  return (
    args.every(({ name, required }) => !required || given.has(name)) &&
    [...given].every((name) => names.has(name))
  );
}

const listed = (names: string[]): string => `(${names.join(", ")})`;

function notFound(view: SchemaView, name: string, keys: string[], byBody: boolean): RestError {
  const called = `${view.schema}.${name}`;
  const without = keys.length === 0 ? " without parameters" : "";
  const searched = without || ` with parameter${keys.length > 1 ? "s" : ""} ${keys.join(", ")}`;
  const overloads = view.routines.get(name);
  const argLists = overloads?.map(({ args }) => listed(args.map((arg) => arg.name).sort()));
  const similar = argLists
    ? mostSimilar(listed(keys), argLists, 0.33)
    : mostSimilar(name, view.routines.keys(), 0.75);
  return new RestError(
    404,
    "PGRST202",
    `Could not find the function ${called}${without || listed(keys)} in the schema cache`,
    {
      details: `Searched for the function ${called}${searched}${byBody ? " or with a single unnamed json/jsonb parameter" : ""}, but no matches were found in the schema cache.`,
      hint: similar
        ? `Perhaps you meant to call the function ${view.schema}.${argLists ? name : ""}${similar}`
        : null,
    },
  );
}

const signature = ({ schema, name, args }: Routine): string =>
  `${schema}.${name}(${args.map((arg: Argument) => `${arg.name} => ${arg.type}`).join(", ")})`;

/**
 * The function that a call with these argument names means; `byPost` lets the body be a nameless argument.
 * Throws RestError PGRST202 (none), PGRST203 (several).
 */
export function findRoutine(
  view: SchemaView,
  name: string,
  given: Iterable<string>,
  byPost: boolean,
): Routine {
  const keys = [...new Set(given)].sort();
  const overloads = view.routines.get(name) ?? [];
  const byName = overloads.filter((routine) => !takesBody(routine) && accepts(routine, new Set(keys)));
  const found = byName.length > 0 ? byName : byPost ? overloads.filter(takesBody) : [];
  const [first, second] = found;
  if (!first) throw notFound(view, name, keys, byPost);
  if (!second) return first;
  throw new RestError(
    300,
    "PGRST203",
    `Could not choose the best candidate function between: ${found.map(signature).join(", ")}`,
    {
      hint: "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    },
  );
}
