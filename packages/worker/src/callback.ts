import { z } from "zod";
import { type Answer, callOnce, callWithRetries, type HttpSettings, UnreachableError } from "./http.ts";
import { type Job, type UploadSlots, uploadSlots } from "./job.ts";

const startAnswer = z.object({ proceed: z.boolean(), uploads: uploadSlots.nullish() });
const progressAnswer = z.object({ proceed: z.boolean() });
const uploadsAnswer = z.object({ uploads: uploadSlots });

/** The three calls that a worker makes to Podbase for one attempt. */
export type Callback = {
  /**
   * Asks whether to work, and tells RunPod's id of the job, in case Podbase never heard it. An unreachable Podbase
   * means yes: the attempt can still be completed without it.
   */
  start(): Promise<{ proceed: boolean; uploads: UploadSlots | null }>;
  /** Reports progress once, without retries. False if the attempt is to stop; trouble on the way is logged. */
  progress(report: { seq: number; progress: number; message?: string }): Promise<boolean>;
  /** Asks for new upload slots: signed upload URLs live for two hours, a queue may be longer. */
  freshUploads(): Promise<UploadSlots>;
};

/** Milliseconds for one try of a call that the work waits for. */
const TIMEOUT = 10_000;
/** Milliseconds for a progress report, which is only a courtesy. */
const PROGRESS_TIMEOUT = 2_000;

/** Calls `<callback>/start`, `/progress` and `/uploads` with the attempt's token. */
export function createCallback(job: Job, http: HttpSettings, log: (line: string) => void): Callback {
  const callTo = (action: string, body: unknown, timeout: number) => {
    const url = new URL(job.callback);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${action}`;
    return {
      method: "POST" as const,
      url,
      headers: { authorization: `Bearer ${job.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      timeout,
    };
  };

  return {
    async start() {
      try {
        const answer = await callWithRetries(callTo("start", { id: job.id }, TIMEOUT), http);
        if (!answer.ok) throw new Error(`Podbase refused this attempt (HTTP ${answer.status})`);
        const { proceed, uploads } = understand(startAnswer, answer);
        return { proceed, uploads: uploads ?? null };
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        log(`start could not be told, working all the same: ${error.message}`);
        return { proceed: true, uploads: null };
      }
    },
    async progress(report) {
      try {
        const answer = await callOnce(callTo("progress", report, PROGRESS_TIMEOUT), http);
        if (answer.ok) return understand(progressAnswer, answer).proceed;
        log(`progress ${report.seq} was not taken: HTTP ${answer.status}`);
      } catch (error) {
        log(
          `progress ${report.seq} was not taken: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      return true;
    },
    async freshUploads() {
      const answer = await callWithRetries(callTo("uploads", {}, TIMEOUT), http);
      if (!answer.ok) throw new Error(`no fresh upload slots (HTTP ${answer.status})`);
      return understand(uploadsAnswer, answer).uploads;
    },
  };
}

/** Reads a 200 answer. A worker that does not understand Podbase must not guess. */
function understand<T>(schema: z.ZodType<T>, answer: Answer): T {
  try {
    return schema.parse(JSON.parse(answer.text));
  } catch (error) {
    throw new Error("Podbase's answer was not understood", { cause: error });
  }
}
