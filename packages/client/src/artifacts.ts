import { codeOfStatus, PodbaseError, type Result } from "./errors.ts";
import type { Runtime } from "./runtime.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Artifact } from "./types.ts";

const BUCKET = "podbase";
const HOUR_S = 3_600;
/** An address is handed out again while at least this part of its life is left. */
const FRESH = 0.2;

/** Further wishes for an address. */
export interface UrlOptions {
  /** How long it works, in seconds; an hour if not given. */
  expiresInS?: number;
  /** Saves the file instead of showing it: under this name, or with `true` under its own. */
  download?: boolean | string;
  /** Signs it anew even if the last one should still work: it did not. */
  renew?: boolean;
}

/** Access to the files that tasks left. Only the owner of a job may use it; RLS on storage.objects decides. */
export interface ArtifactsApi {
  /**
   * An address that anybody who has it may fetch for a while, fit for `<audio src>` or a share sheet. It is signed when it
   * is asked for, handed out again while it is fresh (at least a fifth of its life is left) and signed anew after that.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `not_found`, `unauthorized`, `network`, `server_error`.
   */
  url(artifact: Artifact, options?: UrlOptions): Promise<Result<string>>;
  /**
   * The whole file.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `not_found`, `unauthorized`, `network`, `server_error`.
   */
  download(artifact: Artifact): Promise<Result<Blob>>;
}

/** Makes the {@link ArtifactsApi} of a client. */
export const createArtifacts = (supabase: AnySupabaseClient, runtime: Runtime): ArtifactsApi => {
  const signed = new Map<string, { url: string; freshUntil: number }>();
  return {
    async url(artifact, { expiresInS = HOUR_S, download = false, renew = false } = {}) {
      const key = JSON.stringify([artifact.path, expiresInS, download]);
      for (const [old, { freshUntil }] of signed) if (freshUntil <= runtime.now()) signed.delete(old);
      const known = signed.get(key);
      if (known && !renew) return { data: known.url, error: null };
      const asked = runtime.now();
      const { data, error } = await supabase.storage
        .from(BUCKET)
        .createSignedUrl(artifact.path, expiresInS, download === false ? {} : { download });
      if (error) return failed(error);
      signed.set(key, { url: data.signedUrl, freshUntil: asked + expiresInS * 1_000 * (1 - FRESH) });
      return { data: data.signedUrl, error: null };
    },
    async download(artifact) {
      const { data, error } = await supabase.storage.from(BUCKET).download(artifact.path);
      return error ? failed(error) : { data, error: null };
    },
  };
};

const failed = (error: {
  message: string;
  status?: number | undefined;
  statusCode?: string | undefined;
}): { data: null; error: PodbaseError } => {
  // Storage answers 400 to much of what is missing or forbidden and puts the true status into the body
  // (supabase.com/docs/guides/storage/debugging/error-codes).
  const status = Number(error.statusCode) || error.status || 0;
  return {
    data: null,
    error: new PodbaseError(codeOfStatus(status), error.message, { status: status || null, cause: error }),
  };
};
