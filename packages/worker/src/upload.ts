import { createHash } from "node:crypto";
import type { Callback } from "./callback.ts";
import { type Answer, callWithRetries, type HttpSettings, UnreachableError } from "./http.ts";
import type { UploadSlots } from "./job.ts";

/** What the result tells of an artifact: its size in bytes and its SHA-256 in hex. */
export type ArtifactReceipt = { bytes: number; sha256: string };

/** Milliseconds for one try of an upload: half a minute, and a second for each 256 KiB. */
const uploadTimeout = (bytes: number) => 30_000 + Math.ceil(bytes / 262_144) * 1_000;

/** A refusal that a new token can cure; supabase/storage answers an expired one with 400. */
const REFUSED = new Set([400, 401, 403]);

/**
 * Puts artifacts into their signed slots. A slot that is refused is asked for anew, once an upload; network errors
 * and 5xx are retried.
 */
export function createUploader(
  slots: UploadSlots,
  callback: Pick<Callback, "freshUploads">,
  http: HttpSettings,
) {
  const artifacts: Record<string, ArtifactReceipt> = {};
  let current = slots;

  const put = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Answer> => {
    const slot = current[name];
    if (!slot) throw new Error(`there is no upload slot for the artifact ${name}`);
    return await callWithRetries(
      {
        method: "PUT",
        url: slot.url,
        headers: { "content-type": slot.contentType, "x-upsert": "true" },
        body: bytes,
        timeout: uploadTimeout(bytes.length),
      },
      http,
    );
  };

  return {
    /** The receipts of all uploads so far, by artifact name. */
    artifacts,
    /** Uploads one artifact. Throws an Error with a short message if it cannot be stored. */
    async upload(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
      try {
        let answer = await put(name, bytes);
        if (REFUSED.has(answer.status)) {
          current = { ...current, ...(await callback.freshUploads()) };
          answer = await put(name, bytes);
        }
        if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const unreachable = error instanceof UnreachableError ? "storage did not answer: " : "";
        throw new Error(`upload of ${name} failed: ${unreachable}${reason}`, { cause: error });
      }
      artifacts[name] = { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    },
  };
}
