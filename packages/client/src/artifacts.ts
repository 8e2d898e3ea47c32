import { codeOfStatus, PodbaseError, type Result } from "./errors.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Artifact } from "./types.ts";

const BUCKET = "podbase";
const HOUR_S = 3_600;

/** Access to the files that tasks left. Only the owner of a job may use it; RLS on storage.objects decides. */
export interface ArtifactsApi {
  /**
   * An address that anybody who has it may fetch for a while, fit for `<audio src>` or a share sheet.
   * `expiresInS` is in seconds, an hour if not given.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `not_found`, `unauthorized`, `network`, `server_error`.
   */
  url(artifact: Artifact, options?: { expiresInS?: number }): Promise<Result<string>>;
  /**
   * The whole file.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `not_found`, `unauthorized`, `network`, `server_error`.
   */
  download(artifact: Artifact): Promise<Result<Blob>>;
}

/** Makes the {@link ArtifactsApi} of a client. */
export const createArtifacts = (supabase: AnySupabaseClient): ArtifactsApi => ({
  async url(artifact, { expiresInS = HOUR_S } = {}) {
    const { data, error } = await supabase.storage.from(BUCKET).createSignedUrl(artifact.path, expiresInS);
    return error ? failed(error) : { data: data.signedUrl, error: null };
  },
  async download(artifact) {
    const { data, error } = await supabase.storage.from(BUCKET).download(artifact.path);
    return error ? failed(error) : { data, error: null };
  },
});

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
