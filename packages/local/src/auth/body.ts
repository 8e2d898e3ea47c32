import { z } from "zod";
import { AuthError } from "./auth-error.ts";

const MAX_BODY_BYTES = 1 << 20;

/** Absent, null and the zero value mean the same to Supabase Auth; so they do here. */
export const optionalText = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

/** A JSON object, or undefined. */
export const optionalObject = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? undefined);

/** A yes or no, no when absent. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** The request's JSON body in the shape of `schema`. Throws AuthError `bad_json` or `request_entity_too_large`. */
export async function readBody<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  const text = await request.text();
  if (text.length > MAX_BODY_BYTES) {
    throw new AuthError(
      413,
      "request_entity_too_large",
      `Request body too large (max ${MAX_BODY_BYTES} bytes)`,
    );
  }
  const refuse = (reason: string) =>
    new AuthError(400, "bad_json", `Could not parse request body as JSON: ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refuse(z.prettifyError(parsed.error));
  return parsed.data;
}
