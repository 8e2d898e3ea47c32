import type { z } from "zod";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  422: "Unprocessable Entity",
  501: "Not Implemented",
};

/** An answer that is an error, in the form of RFC 9457 as RunPod's management API has it. */
export class Problem extends Error {
  readonly status: number;
  readonly errors: readonly string[];

  constructor(status: number, detail: string, errors: readonly string[] = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  toJSON() {
    return {
      title: TITLES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      ...(this.errors.length > 0 && { errors: this.errors }),
    };
  }
}

/** The checked body of a request. Throws a {@link Problem}: 400 for no JSON, 422 for what the schema refuses. */
export const readBody = async <Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.infer<Schema>> => {
  const body = await request.json().catch((error) => {
    throw new Problem(400, (error as Error).message);
  });
  const { data, error } = schema.safeParse(body);
  if (error) {
    const errors = error.issues.map(({ path, message }) => `${["$", ...path].join(".")}: ${message}`);
    throw new Problem(422, "the request body is not valid", errors);
  }
  return data;
};
