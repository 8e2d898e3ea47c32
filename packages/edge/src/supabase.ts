import { type Database, fromDatabaseError, PodbaseError, type Storage } from "@podbase/core";
import { createClient } from "@supabase/supabase-js";
import type { Environment } from "./environment.ts";

/** Limit of one call in ms: a hung database must not hold a function until the platform ends it. */
const TIMEOUT_MS = 20_000;

const fetchInTime: typeof fetch = (input, init) => {
  const signals = [init?.signal, AbortSignal.timeout(TIMEOUT_MS)].filter(
    (signal) => signal instanceof AbortSignal,
  );
  // As a blob, which goes out as a stream: Deno's fetch posts a text again when a kept connection breaks, though the first
  // may have arrived, and a submission without an idempotency key would then be two jobs.
  const body = typeof init?.body === "string" ? new Blob([init.body]) : init?.body;
  return fetch(input, { ...init, ...(body ? { body } : {}), signal: AbortSignal.any(signals) });
};

/** Before the further tries of {@link insist}, in ms. With four calls that hang, it ends well within the 150 s of a function. */
const PAUSES_MS = [500, 2000, 8000];

/**
 * Makes a call of the database again until it succeeds, as it may be away for a moment: for what nobody else knows. Throws
 * what the last try threw.
 */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await call();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return call();
}

/** The engine's ports over supabase-js with a secret key: PostgREST for the functions of schema `podbase`, Storage. */
export function supabasePorts(environment: Pick<Environment, "supabaseUrl" | "secretKey">): {
  database: Database;
  storage: Storage;
} {
  const client = createClient(environment.supabaseUrl, environment.secretKey, {
    db: { schema: "podbase" },
    global: { fetch: fetchInTime },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });

  const call = async <T>(name: string, args: Record<string, unknown>): Promise<T> => {
    const { data, error } = await client.rpc(name, args);
    if (error) throw fromDatabaseError(error);
    return data as T;
  };

  /** A token outlives its user by up to an hour: the job's reference to auth.users then fails. */
  const submit = <T>(name: string, args: Record<string, unknown>): Promise<T> =>
    call<T>(name, args).catch((error: unknown) => {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (code !== "23503") throw error;
      throw new PodbaseError("unauthorized", "This user no longer exists.", { cause: error });
    });

  return {
    database: {
      submitJob: (request) => submit("submit_job", { request }),
      submitJobs: (requests) => submit("submit_jobs", { requests }),
      claimTasks: (limit) => call("claim_tasks", { max_tasks: limit }),
      // Without it work that RunPod has taken, or certainly has not, is in doubt, and bought again or given up.
      recordSubmissions: (results) => insist(() => call("record_submissions", { results })),
      recordReport: (report) => call("record_report", { report }),
      recordHint: (report) => call("record_hint", { report }),
      claimPolls: (limit) => call("claim_polls", { max_polls: limit }),
      claimCancels: (limit) => call("claim_cancels", { max_cancels: limit }),
      recordCancels: (attempts) => call("record_cancels", { attempts }),
      claimFileDeletes: (limit) => call("claim_file_deletes", { max_files: limit }),
      recordFileDeletes: (files) => call("record_file_deletes", { files }),
      claimHealth: (limit) => call("claim_health", { max_endpoints: limit }),
      recordHealth: (snapshots) => call("record_health", { snapshots }),
      recordPass: (pass) => call("record_pass", { pass }),
    },
    storage: {
      async signUpload(path) {
        const { data, error } = await client.storage
          .from("podbase")
          .createSignedUploadUrl(path, { upsert: true });
        if (error) throw new PodbaseError("internal", "storage refused an upload slot", { cause: error });
        return data.signedUrl;
      },
      async remove(paths) {
        const { error } = await client.storage.from("podbase").remove(paths);
        if (error) throw new PodbaseError("internal", "storage deleted no files", { cause: error });
      },
    },
  };
}
