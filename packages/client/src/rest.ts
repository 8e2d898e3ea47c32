import type { PostgrestSingleResponse } from "@supabase/supabase-js";
import type { Result } from "./errors.ts";
import { fromRestError } from "./from-rest-error.ts";
import { JOB_COLUMNS, type JobRow, toJob } from "./from-row.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Job, JobStatus } from "./types.ts";

/** Ids in one request: 37 characters each, and proxies refuse lines over some 8 kB. */
const IDS_AT_ONCE = 150;

/** Which jobs to list. */
export interface JobFilter {
  /** At most this many, the newest first; 50 if not given. */
  limit?: number;
  /** Only jobs of this status, or one of these. */
  status?: JobStatus | readonly JobStatus[];
}

/** How to send one reading. */
export interface ReadOptions {
  signal?: AbortSignal;
  /** Leave repeating to the caller instead of supabase-js. */
  once?: boolean;
}

/** Reading and canceling jobs through PostgREST; the caller's session and RLS decide whose. */
export interface Rest {
  list(filter: JobFilter, options?: ReadOptions): Promise<Result<Job[]>>;
  /** The jobs of these ids that exist, in no order. */
  byIds(ids: readonly string[], options?: ReadOptions): Promise<Result<Job[]>>;
  cancel(id: string): Promise<Result<Job>>;
}

/** Makes the {@link Rest} half of a client. */
export const createRest = (supabase: AnySupabaseClient): Rest => {
  const schema = () => supabase.schema("podbase");

  const select = ({ signal, once }: ReadOptions) => {
    const query = schema().from("jobs").select(JOB_COLUMNS);
    if (once) query.retry(false);
    if (signal) query.abortSignal(signal);
    return query;
  };

  return {
    async list({ limit = 50, status }, options = {}) {
      let query = select(options).order("created_at", { ascending: false }).order("id").limit(limit);
      if (status) query = query.in("status", typeof status === "string" ? [status] : [...status]);
      return toJobs(await query);
    },
    async byIds(ids, options = {}) {
      const jobs: Job[] = [];
      for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
        const page = toJobs(await select(options).in("id", ids.slice(from, from + IDS_AT_ONCE)));
        if (page.error) return page;
        jobs.push(...page.data);
      }
      return { data: jobs, error: null };
    },
    async cancel(id) {
      const { data, error, status } = await schema().rpc("cancel_job", { job_id: id });
      if (error) return { data: null, error: fromRestError(error, status) };
      return { data: toJob(data as JobRow), error: null };
    },
  };
};

const toJobs = ({ data, error, status }: PostgrestSingleResponse<unknown>): Result<Job[]> =>
  error
    ? { data: null, error: fromRestError(error, status) }
    : { data: (data as JobRow[]).map(toJob), error: null };
