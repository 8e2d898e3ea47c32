import type { Scanner } from "./scanner.ts";

/** One `->` or `->>` of a JSON path. */
export interface JsonStep {
  /** `->>`: the value as text. */
  asText: boolean;
  key: string;
  /** The key is a position in an array. */
  isIndex: boolean;
}

/** A column, and the way into it when it holds JSON. */
export interface Field {
  name: string;
  path: JsonStep[];
}

const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y;

/** `"…"`, in which a backslash takes the next character as it is. */
export function quoted(scanner: Scanner): string | undefined {
  return scanner.match(QUOTED)?.[1]?.replace(/\\([\s\S])/g, "$1");
}

/** Runs of `pattern` joined by dashes; a dash that begins an arrow ends the name. */
function dashed(scanner: Scanner, pattern: RegExp, what: string): string {
  const parts: string[] = [];
  do {
    const part = scanner.match(pattern)?.[0].trim();
    if (!part) scanner.expected(what);
    parts.push(part);
  } while (!scanner.sees("->") && scanner.eat("-"));
  return parts.join("-");
}

/** A column's, table's or function's name, bare or in double quotes. */
export const fieldName = (scanner: Scanner): string =>
  quoted(scanner) ?? dashed(scanner, /[\p{L}0-9_ $]+/uy, "field name (* or [a..z0..9_$])");

/** `->key->>0…`; empty when no arrow comes next. */
export function jsonPath(scanner: Scanner): JsonStep[] {
  const steps: JsonStep[] = [];
  while (scanner.sees("->")) {
    const asText = scanner.eat("->>");
    if (!asText) scanner.need("->");
    const index = scanner.match(/-?[0-9]+(?=->|::|\.|,|$)/y)?.[0];
    const key =
      index ??
      quoted(scanner) ??
      dashed(scanner, /[^(\-:.,>)]+/y, "any non reserved character different from: .,>()");
    steps.push({ asText, key, isIndex: index !== undefined });
  }
  return steps;
}

/** `name`, `name->key`, `name->>0`. */
export function field(scanner: Scanner): Field {
  const name = fieldName(scanner);
  return { name, path: jsonPath(scanner) };
}

/** `a.b.c`: the embeddings that lead to a name, and the name. */
export function dotted(scanner: Scanner): { path: string[]; name: string } {
  const path: string[] = [];
  let name = fieldName(scanner);
  while (scanner.eat(".")) {
    path.push(name);
    name = fieldName(scanner);
  }
  return { path, name };
}
