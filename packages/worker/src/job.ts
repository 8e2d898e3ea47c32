import { z } from "zod";

const slot = z.object({ url: z.url(), path: z.string().optional(), contentType: z.string() });

/** The signed upload slots of a task by artifact name. `PUT` the bytes to `url`. */
export const uploadSlots = z.record(z.string(), slot);
/** Upload slots by artifact name. */
export type UploadSlots = z.infer<typeof uploadSlots>;

const runpodJob = z.looseObject({
  id: z.string().optional(),
  createdAt: z.iso.datetime({ offset: true }).optional(),
  input: z.looseObject({
    podbase: z.looseObject({
      callback: z.url(),
      token: z.string().min(1),
      uploads: uploadSlots.default({}),
    }),
  }),
});

/** A RunPod job under Podbase's worker contract: the task's own input and what Podbase adds to it. */
export type Job = {
  /** RunPod's id; local runs may have none. */
  id: string | undefined;
  createdAt: Date | undefined;
  input: Record<string, unknown>;
  callback: URL;
  token: string;
  uploads: UploadSlots;
};

/** Reads a job as RunPod hands it to a handler. Throws a ZodError if it was not sent by Podbase. */
export function parseJob(value: unknown): Job {
  const job = runpodJob.parse(value);
  const { podbase, ...input } = job.input;
  return {
    id: job.id,
    createdAt: job.createdAt === undefined ? undefined : new Date(job.createdAt),
    input,
    callback: new URL(podbase.callback),
    token: podbase.token,
    uploads: podbase.uploads,
  };
}
