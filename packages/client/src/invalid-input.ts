import { PodbaseError } from "./errors.ts";

/** An issue as any Standard Schema tells it (standardschema.dev). */
interface SchemaIssue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[];
}

/** The error for an input that its kind's schema refuses. */
export const invalidInput = (issues: readonly SchemaIssue[]): PodbaseError =>
  new PodbaseError("invalid_input", "the input does not fit the job kind", {
    issues: issues.map(({ message, path = [] }) => ({
      message,
      path: [
        "input",
        ...path.map((part) => {
          const key = typeof part === "object" ? part.key : part;
          return typeof key === "number" ? key : String(key);
        }),
      ],
    })),
  });
