import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";

// The keys of `supabase/config.toml` that mean something here, with the Supabase CLI's defaults; others are passed over.
const FunctionSection = z.object({
  enabled: z.boolean().default(true),
  verify_jwt: z.boolean().default(true),
  entrypoint: z.string().optional(),
  import_map: z.string().optional(),
});
const Config = z.object({
  api: z
    .object({
      schemas: z.array(z.string()).default(["public", "graphql_public"]),
      max_rows: z.number().int().default(1000),
    })
    .prefault({}),
  auth: z.object({ jwt_expiry: z.number().int().default(3600) }).prefault({}),
  functions: z.record(z.string(), FunctionSection).default({}),
});

/** What the stack reads of `supabase/config.toml`, in the file's own names. */
export type ProjectConfig = z.infer<typeof Config>;
/** A section `[functions.<name>]`. */
export type FunctionSection = z.infer<typeof FunctionSection>;

/** The section of a function that has none. */
export const defaultFunctionSection = (): FunctionSection => FunctionSection.parse({});

/** Reads `supabase/config.toml`; all defaults when there is none. Throws when it is wrong. */
export async function readProjectConfig(projectDir: string): Promise<ProjectConfig> {
  const file = join(projectDir, "supabase", "config.toml");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  try {
    return Config.parse(parse(text));
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}
