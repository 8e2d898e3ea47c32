import { z } from "zod";
import { invalidRequest } from "./storage-error.ts";

/** The request's JSON body in the shape of `schema`. Throws StorageError `InvalidRequest`. */
export async function readJson<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  let value: unknown;
  try {
    value = await request.json();
  } catch (error) {
    throw invalidRequest(`The body is not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidRequest(z.prettifyError(parsed.error));
  return parsed.data;
}
