import type { Build } from "./build-read.ts";
import { notServed } from "./errors.ts";
import { takesBody } from "./find-routine.ts";
import type { Payload } from "./payload.ts";
import type { Argument, Routine } from "./schema-query.ts";
import { arrayLiteral, ident, type Parameters, qualified } from "./sql.ts";

/** Arguments of a call: a JSON body, or texts from the query string. */
export type CallArguments = { payload: Payload } | { texts: [name: string, value: string][] };

/** Name of the one column that functions without columns return. */
export const SCALAR = "pgrst_scalar";

const named = ({ name, variadic }: Argument, value: string): string =>
  `${variadic ? "variadic " : ""}${ident(name)} => ${value}`;

/** PostgREST collects a variadic argument's values and takes the last of any other's. */
function textArgument(argument: Argument, texts: [string, string][], { bind }: Parameters): string {
  const values = texts.filter(([name]) => name === argument.name).map(([, value]) => value);
  const text = argument.variadic ? arrayLiteral(values) : (values.at(-1) ?? "");
  return named(argument, `cast(${bind(text)} as ${argument.type})`);
}

interface Given {
  /** FROM item that holds the arguments, with a comma behind it. */
  from: string;
  list: string[];
}

function givenArguments(build: Build, routine: Routine, args: CallArguments): Given {
  const { parameters, aliases } = build;
  if ("texts" in args) {
    const names = new Set(args.texts.map(([name]) => name));
    const used = routine.args.filter(({ name }) => names.has(name));
    return { from: "", list: used.map((argument) => textArgument(argument, args.texts, parameters)) };
  }
  const { payload } = args;
  const [first] = routine.args;
  if (first && takesBody(routine))
    return { from: "", list: [`cast(${parameters.bind(payload.json)} as ${first.type})`] };
  const used = routine.args.filter(({ name }) => payload.keys.includes(name));
  if (used.length === 0) return { from: "", list: [] };
  if (!payload.isObject) throw notServed("A function call with several sets of arguments");
  const alias = ident(aliases.next("args"));
  const shape = used.map(({ name, type }) => `${ident(name)} ${type}`).join(", ");
  return {
    from: `json_to_record(${parameters.bind(payload.json)}::json) as ${alias} (${shape}), `,
    list: used.map((argument) => named(argument, `${alias}.${ident(argument.name)}`)),
  };
}

/** `select …` of what the function returns: its columns, or one column `SCALAR`. Throws RestError 501. */
export function buildCall(build: Build, routine: Routine, args: CallArguments): string {
  const { from, list } = givenArguments(build, routine, args);
  const call = `${qualified(routine.schema, routine.name)}(${list.join(", ")})`;
  const alias = ident(build.aliases.next("call"));
  return routine.returnsRows
    ? `select ${alias}.* from ${from}lateral ${call} as ${alias}`
    : `select ${alias}.* from ${from}lateral (select ${call} as ${ident(SCALAR)}) as ${alias}`;
}
