import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Issue } from "./errors.ts";

/** Checks a value by any Standard Schema (standardschema.dev): what it becomes, or what is wrong with it. */
export async function validate(
  schema: StandardSchemaV1,
  value: unknown,
): Promise<{ value: unknown; issues?: undefined } | { issues: Issue[] }> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return { value: result.value };
  return {
    issues: result.issues.map((issue) => ({
      path: (issue.path ?? []).map((part) => {
        const key = typeof part === "object" ? part.key : part;
        return typeof key === "number" ? key : String(key);
      }),
      message: issue.message,
    })),
  };
}
