import type { Result } from "./errors.ts";
import { fromRestError } from "./from-rest-error.ts";
import { type JobRow, toJob } from "./from-row.ts";
import { notAnId } from "./job-id.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Job, JobStatus } from "./types.ts";

/** Jobs in one answer of the database. */
const JOBS_AT_ONCE = 1_000;

/** Which jobs to list. */
export interface JobFilter {
  /** At most this many, the newest first; 50 if not given. */
  limit?: number;
  /** Only jobs of this status, or one of these. */
  status?: JobStatus | readonly JobStatus[];
}

/** What ends one reading early. */
export interface ReadOptions {
  signal?: AbortSignal;
}

/** The functions of schema `podbase` through PostgREST; the caller's session decides whose jobs they see. */
export interface Rest {
  list(filter: JobFilter, options?: ReadOptions): Promise<Result<Job[]>>;
  /** The jobs of these ids that exist, in no order. */
  byIds(ids: readonly string[], options?: ReadOptions): Promise<Result<Job[]>>;
  /** Those that are open, or whose end was not shown yet, the newest first. */
  unseen(limit: number): Promise<Result<Job[]>>;
  /** Calls a function that takes a job's id and returns the job. */
  change(name: "cancel_job" | "retry_job" | "mark_seen", id: string): Promise<Result<Job>>;
  /** Calls a function that takes a job's id and returns something else. */
  about(name: "estimate" | "queue_position", id: string): Promise<Result<unknown>>;
}

/** Makes the {@link Rest} half of a client. */
export const createRest = (supabase: AnySupabaseClient): Rest => {
  const call = async (name: string, args: object, { signal }: ReadOptions = {}): Promise<Result<unknown>> => {
    const query = supabase.schema("podbase").rpc(name, args);
    const { data, error, status } = await (signal ? query.abortSignal(signal) : query);
    return error ? { data: null, error: fromRestError(error, status) } : { data, error: null };
  };

  const callOf = async (name: string, id: string): Promise<Result<unknown>> => {
    const error = notAnId(id);
    return error ? { data: null, error } : call(name, { job_id: id });
  };

  const find = async (filter: object, options?: ReadOptions): Promise<Result<Job[]>> => {
    const { data, error } = await call("find_jobs", filter, options);
    return error ? { data: null, error } : { data: (data as JobRow[]).map(toJob), error: null };
  };

  return {
    list: ({ limit = 50, status }, options) =>
      find({ max_jobs: limit, ...(status && { statuses: [status].flat() }) }, options),
    async byIds(ids, options) {
      const jobs: Job[] = [];
      for (let from = 0; from < ids.length; from += JOBS_AT_ONCE) {
        const page = await find({ ids: ids.slice(from, from + JOBS_AT_ONCE) }, options);
        if (page.error) return page;
        jobs.push(...page.data);
      }
      return { data: jobs, error: null };
    },
    unseen: (limit) => find({ unseen: true, max_jobs: limit }),
    async change(name, id) {
      const { data, error } = await callOf(name, id);
      return error ? { data: null, error } : { data: toJob(data as JobRow), error: null };
    },
    about: callOf,
  };
};
