import type {
  Cancel,
  Claim,
  EndpointRef,
  HealthSnapshot,
  HintResult,
  PassSummary,
  Poll,
  Report,
  ReportResult,
  SubmissionResult,
  SubmitRequest,
  SubmitResult,
} from "./contracts.ts";

/**
 * The SQL functions that the engine calls, one round trip each. Every one of them is idempotent and may be called by
 * any number of instances at once; their contracts stand at their heads in supabase/migrations.
 */
export interface Database {
  submitJob(request: SubmitRequest): Promise<SubmitResult>;
  submitJobs(requests: SubmitRequest[]): Promise<{ job: string; created: boolean }[]>;
  claimTasks(limit: number): Promise<Claim[]>;
  recordSubmissions(results: SubmissionResult[]): Promise<number>;
  recordReport(report: Report): Promise<ReportResult>;
  recordHint(report: Report): Promise<HintResult>;
  claimPolls(limit: number): Promise<Poll[]>;
  claimCancels(limit: number): Promise<Cancel[]>;
  recordCancels(attempts: string[]): Promise<number>;
  claimFileDeletes(limit: number): Promise<{ id: number; path: string }[]>;
  recordFileDeletes(files: number[]): Promise<number>;
  claimHealth(limit: number): Promise<EndpointRef[]>;
  recordHealth(snapshots: HealthSnapshot[]): Promise<number>;
  recordPass(summary: PassSummary): Promise<void>;
}

/** The private bucket `podbase`. */
export interface Storage {
  /** A URL that takes one PUT to `path`; Supabase's live 2 hours (supabase.com/docs/guides/storage). */
  signUpload(path: string): Promise<string>;
  /** Deletes files, at most 1,000; paths without one are no error. */
  remove(paths: string[]): Promise<void>;
}

/** Time as the engine sees it; tests give their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}
