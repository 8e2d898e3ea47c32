import { notServed, RestError } from "./errors.ts";

/** The `Prefer` header (PostgREST docs, "Prefer Header"). */
export interface Preferences {
  resolution: "merge-duplicates" | "ignore-duplicates" | undefined;
  /** `return=representation`. */
  representation: boolean;
  /** `count=exact`. */
  count: boolean;
  /** `missing=default`. */
  missingDefault: boolean;
  /** `handling=strict`. */
  strict: boolean;
  timezone: string | undefined;
  /** Honoured under `handling=strict` only, as PostgREST does. */
  maxAffected: number | undefined;
  /** What was understood, for `Preference-Applied`. */
  applied: string[];
}

const KNOWN = new Map([
  ["resolution", ["merge-duplicates", "ignore-duplicates"]],
  ["return", ["representation", "minimal", "headers-only"]],
  ["count", ["exact", "planned", "estimated"]],
  ["tx", ["commit", "rollback"]],
  ["missing", ["default", "null"]],
  ["handling", ["strict", "lenient"]],
]);

const isKnown = (name: string, value: string): boolean =>
  name === "timezone" ||
  (name === "max-affected" ? /^\d+$/.test(value) : (KNOWN.get(name)?.includes(value) ?? false));

/** Throws RestError: PGRST122 for unknown ones under `handling=strict`, 501 for those that aren't served. */
export function parsePreferences(header: string | null): Preferences {
  const given = (header ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const first = new Map<string, string>();
  const unknown: string[] = [];
  for (const part of given) {
    const [name = "", value = ""] = part.split(/=(.*)/s);
    if (!isKnown(name, value)) unknown.push(part);
    else if (!first.has(name)) first.set(name, value);
  }
  const strict = first.get("handling") === "strict";
  if (strict && unknown.length > 0)
    throw new RestError(400, "PGRST122", "Invalid preferences given with handling=strict", {
      details: `Invalid preferences: ${unknown.join(", ")}`,
    });
  const count = first.get("count");
  if (count && count !== "exact") throw notServed(`Prefer: count=${count}`);
  if (first.get("return") === "headers-only") throw notServed("Prefer: return=headers-only");
  const maxAffected = strict ? first.get("max-affected") : undefined;
  if (!strict) first.delete("max-affected");
  // A hosted project doesn't let callers choose how a transaction ends (`db-tx-end=commit`).
  first.delete("tx");
  return {
    resolution: first.get("resolution") as Preferences["resolution"],
    representation: first.get("return") === "representation",
    count: count === "exact",
    missingDefault: first.get("missing") === "default",
    strict,
    timezone: first.get("timezone"),
    maxAffected: maxAffected === undefined ? undefined : Number(maxAffected),
    applied: [...first].map(([name, value]) => `${name}=${value}`),
  };
}
