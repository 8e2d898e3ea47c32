import type { Issue } from "./errors.ts";

/** Far more than anybody writes, far less than what overflows a stack here or in Postgres (max_stack_depth). */
const MAX_DEPTH = 100;
/** NUL characters and halves of surrogate pairs, which no jsonb and no UTF-8 can hold (postgresql.org/docs/17/datatype-json.html). */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

type Path = { key: string | number; before: Path } | null;

/**
 * What keeps a JSON value from being stored as it is: nesting deeper than 100, NUL characters, unpaired surrogates (keys
 * included), or numbers that became infinite, as 1e400 does. The first one found, with the path to it; null if nothing
 * does. Takes no stack, however deep the value.
 */
export function unstorable(value: unknown): Issue | null {
  const open: { value: object; path: Path; depth: number }[] = [];
  const look = (value: unknown, path: Path, depth: number): string | null => {
    if (typeof value === "string" && UNSTORABLE.test(value)) return "NUL or half a surrogate pair";
    if (typeof value === "number" && !Number.isFinite(value)) return "a number out of range";
    if (typeof value !== "object" || value === null) return null;
    if (depth >= MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`;
    open.push({ value, path, depth });
    return null;
  };
  const wrong = look(value, null, 0);
  if (wrong) return { path: [], message: wrong };
  for (let next = open.pop(); next; next = open.pop()) {
    const names = Array.isArray(next.value) ? next.value.keys() : Object.keys(next.value);
    for (const key of names) {
      const path = { key, before: next.path };
      const inner = (next.value as Record<string | number, unknown>)[key];
      const message = look(key, path, 0) ?? look(inner, path, next.depth + 1);
      if (message) return { path: toKeys(path), message };
    }
  }
  return null;
}

/** Text as it can be stored: what can't be becomes U+FFFD. */
export function storableText(text: string): string {
  return UNSTORABLE.test(text) ? text.replace(/[\0\p{Surrogate}]/gu, "\ufffd") : text;
}

function toKeys(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at = path; at; at = at.before)
    keys.push(typeof at.key === "string" ? storableText(at.key) : at.key);
  return keys.reverse();
}
