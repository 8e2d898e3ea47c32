import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Keys } from "../keys.ts";

/** What the environment of a function is made of. */
export interface FunctionEnvOptions {
  projectDir: string;
  /** Base URL of the gateway. */
  url: string;
  keys: Keys;
  /** As role `postgres`. */
  databaseUrl: string;
  /** Secrets of this run, say the key of RunPod; they win over `supabase/functions/.env`. */
  extraEnv: Record<string, string>;
}

/**
 * The variables that hosted Edge Functions are given (https://supabase.com/docs/guides/functions/secrets), and the
 * project's own. Nothing of the stack's own environment but what Deno needs to run.
 */
export async function functionEnv(options: FunctionEnvOptions): Promise<Record<string, string>> {
  const { keys, url, databaseUrl, projectDir, extraEnv } = options;
  const own = { ...(await readSecrets(join(projectDir, "supabase", "functions", ".env"))), ...extraEnv };
  const allowed = Object.entries(own).filter(([name]) => !name.startsWith("SUPABASE_"));
  const inherited = ["PATH", "HOME"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    ...Object.fromEntries(allowed),
    DENO_DIR: join(projectDir, ".podbase", "deno"),
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify(keys.secrets),
    SUPABASE_JWKS: JSON.stringify(keys.jwks),
    SUPABASE_DB_URL: databaseUrl,
    // Legacy names, still set on hosted projects; here they hold keys of the new kind.
    SUPABASE_ANON_KEY: keys.publishable,
    SUPABASE_SERVICE_ROLE_KEY: keys.secrets.default ?? "",
  };
}

async function readSecrets(file: string): Promise<Record<string, string>> {
  try {
    return parseEnv(await readFile(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
