import { RUNPOD_BASE_URL } from "@podbase/core";
import { z } from "zod";

const keys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.string()));

const schema = z
  .object({
    SUPABASE_URL: z.url(),
    SUPABASE_SECRET_KEYS: keys.optional(),
    /** The legacy key, a JWT; hosted projects still have it. */
    SUPABASE_SERVICE_ROLE_KEY: z.string().min(1).optional(),
    /** The project's legacy JWT secret; only for projects whose users still get HS256 tokens. */
    PODBASE_JWT_SECRET: z.string().min(32).optional(),
    RUNPOD_API_KEY: z.string().min(1),
    RUNPOD_API_KEY_NEXT: z.string().optional(),
    RUNPOD_BASE_URL: z.url().default(RUNPOD_BASE_URL),
    PODBASE_WEBHOOK_URL: z.url().optional(),
  })
  .refine((env) => Object.keys(env.SUPABASE_SECRET_KEYS ?? {}).length > 0 || env.SUPABASE_SERVICE_ROLE_KEY, {
    path: ["SUPABASE_SECRET_KEYS"],
    message: "no key in it",
  })
  .transform((env) => ({
    supabaseUrl: env.SUPABASE_URL,
    /** The key named `podbase` if the project has one, so that it can be revoked alone; else the default. */
    secretKey: (env.SUPABASE_SECRET_KEYS?.podbase ??
      env.SUPABASE_SECRET_KEYS?.default ??
      Object.values(env.SUPABASE_SECRET_KEYS ?? {})[0] ??
      env.SUPABASE_SERVICE_ROLE_KEY) as string,
    /** Every key that may call for cron, by name. */
    secretKeys: {
      ...env.SUPABASE_SECRET_KEYS,
      ...(env.SUPABASE_SERVICE_ROLE_KEY && { "legacy service_role": env.SUPABASE_SERVICE_ROLE_KEY }),
    } as Record<string, string>,
    legacyJwtSecret: env.PODBASE_JWT_SECRET,
    runpodApiKey: env.RUNPOD_API_KEY,
    /** A second key that RunPod takes, while the first one is changed. */
    ...(env.RUNPOD_API_KEY_NEXT ? { runpodNextApiKey: env.RUNPOD_API_KEY_NEXT } : {}),
    runpodBaseUrl: env.RUNPOD_BASE_URL.replace(/\/+$/, ""),
    /** Where RunPod posts to; must be reachable from outside. */
    webhookUrl: (env.PODBASE_WEBHOOK_URL ?? `${env.SUPABASE_URL}/functions/v1/runpod-webhook`).replace(
      /\/+$/,
      "",
    ),
  }));

/** The settings of the functions, from their environment (supabase.com/docs/guides/functions/secrets). */
export type Environment = z.output<typeof schema>;

/** Reads and checks the environment. Throws with the names of what is missing or malformed, never with values. */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const result = schema.safeParse(variables);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`Podbase's function secrets are incomplete: ${wrong.join("; ")}`);
}
