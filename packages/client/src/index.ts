/** Request and watch Podbase jobs from web, mobile and Node apps. See README.md. */
export type { ArtifactsApi } from "./artifacts.ts";
export type { Connection, Subscription } from "./connection.ts";
export { type Issue, PodbaseError, type PodbaseErrorCode, type Result } from "./errors.ts";
export type { Estimate, QueuePosition, Span, TaskEstimate } from "./estimate.ts";
export type { SignalOption } from "./job-iterable.ts";
export type { JobList, JobsApi, RequestOptions, WatchOptions } from "./jobs-api.ts";
export type { Lifecycle } from "./lifecycle.ts";
export { createPodbase, type Podbase, type PodbaseOptions } from "./podbase.ts";
export type { JobFilter } from "./rest.ts";
export type { Runtime } from "./runtime.ts";
export {
  type AnyJob,
  type Artifact,
  type ArtifactNames,
  type CompletedTask,
  type DefinitionOf,
  type Failure,
  type InputOf,
  isTerminal,
  type Job,
  type JobCatalog,
  type JobDefinition,
  type JobOf,
  type JobStatus,
  type KindOf,
  type Notice,
  type OutputsOf,
  type Phase,
  type Task,
  type TaskStatus,
  type TerminalStatus,
  type UncompletedTask,
  type UntypedCatalog,
} from "./types.ts";
