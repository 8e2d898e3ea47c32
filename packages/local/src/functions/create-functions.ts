import type { Service, StackContext } from "../context.ts";
import { BootError, startDenoWorker } from "./deno-worker.ts";
import { platformError, unauthorized } from "./errors.ts";
import { forward, IdleTimeoutError } from "./forward.ts";
import { readFunctions } from "./function-config.ts";
import { functionEnv } from "./function-env.ts";
import { FunctionPool } from "./function-pool.ts";
import { type FunctionChange, watchSources } from "./watch-sources.ts";

/** Options of `createFunctions`. */
export interface FunctionsOptions {
  /** Folder that holds `supabase/`. */
  projectDir: string;
  /** As role `postgres`, for `SUPABASE_DB_URL`. */
  databaseUrl: string;
  /** Secrets of this run; they win over `supabase/functions/.env`. */
  extraEnv?: Record<string, string>;
  /** Whether a change of the sources restarts functions; on by default. */
  watch?: boolean;
  /** Told of each such change, once the processes concerned are retired. */
  onChange?: (change: FunctionChange) => void;
  /** How long a function may be silent before its caller gets 504; 150 s, as hosted, by default. */
  idleTimeoutMs?: number;
}

/** Edge Functions behind `/functions/v1`. */
export interface Functions extends Service {
  /**
   * Sends SIGKILL to a function's process, as a crash would. False when none runs, or one that has not answered anything
   * yet: who kills processes faster than a busy machine starts them sees nothing of what happens between. The next request
   * starts it again.
   */
  kill(name: string): Promise<boolean>;
  /** How often each function was called since the stack started. */
  calls(): Record<string, number>;
  close(): Promise<void>;
}

const PREFIX = "/functions/v1/";
const IDLE_TIMEOUT_MS = 150_000;

/**
 * Runs the project's Edge Functions, each in a Deno process of its own that starts with the first request. An edit of
 * the sources retires the processes concerned: requests under way finish there, the next one meets the new code.
 */
export async function createFunctions(ctx: StackContext, options: FunctionsOptions): Promise<Functions> {
  const { projectDir, databaseUrl, extraEnv = {}, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  let configs = readFunctions(projectDir);
  await configs;
  const pool = new FunctionPool(async (config) => {
    const env = await functionEnv({ projectDir, databaseUrl, extraEnv, url: ctx.url, keys: ctx.keys });
    return startDenoWorker(config, env, (line) => ctx.log(`[${config.name}] ${line}`));
  });
  const calls: Record<string, number> = {};
  const unwatch =
    options.watch === false
      ? undefined
      : await watchSources(projectDir, (change) => {
          configs = readFunctions(projectDir);
          configs.catch((error: Error) => ctx.log(`functions: ${error.message}`));
          if (change.kind === "function") pool.retire(change.name);
          else pool.retireAll();
          options.onChange?.(change);
        });

  return {
    async fetch(request) {
      const url = new URL(request.url);
      const name = url.pathname.slice(PREFIX.length).split("/", 1)[0] ?? "";
      const config = (await configs).get(name);
      if (!config) return platformError("NOT_FOUND");
      calls[name] = (calls[name] ?? 0) + 1;
      // A browser's preflight carries no token; the function answers it itself.
      if (config.verifyJwt && request.method !== "OPTIONS") {
        const token = request.headers.get("authorization")?.replace(/^Bearer\s+/i, "");
        if (!token) return unauthorized("UNAUTHORIZED_NO_AUTH_HEADER");
        const valid = await ctx.keys.verify(token).then(
          ({ use }) => use === undefined,
          () => false,
        );
        if (!valid) return unauthorized("UNAUTHORIZED_INVALID_JWT_FORMAT");
      }
      try {
        // Functions see their path as on a hosted project: without `/functions/v1`.
        const path = url.pathname.slice(PREFIX.length - 1) + url.search;
        return await pool.use(config, (worker) => forward(worker, request, path, idleTimeoutMs));
      } catch (error) {
        if (error instanceof IdleTimeoutError) return platformError("IDLE_TIMEOUT");
        ctx.log(`functions: ${name}: ${(error as Error).message}`);
        return platformError(error instanceof BootError ? "BOOT_ERROR" : "WORKER_ERROR");
      }
    },
    kill: (name) => pool.kill(name),
    calls: () => ({ ...calls }),
    async close() {
      await unwatch?.();
      await pool.close();
    },
  };
}
