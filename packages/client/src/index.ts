/** Request and watch Podbase jobs from web, mobile and Node apps. See README.md. */
export type { ArtifactsApi, UrlOptions } from "./artifacts.ts";
export type { Connection, Subscription } from "./connection.ts";
export { type Issue, PodbaseError, type PodbaseErrorCode, type Result } from "./errors.ts";
export type { Estimate, QueuePosition, Span, TaskEstimate } from "./estimate.ts";
export type { SignalOption } from "./job-iterable.ts";
export type { JobList, JobsApi, RequestOf, RequestOptions, WatchOptions } from "./jobs-api.ts";
export type { Lifecycle } from "./lifecycle.ts";
export type { Delivery, Outbox } from "./outbox.ts";
export type { OutboxStorage, QueuedRequest } from "./outbox-store.ts";
export { type PatientFetchOptions, patientFetch } from "./patient-fetch.ts";
export { createPodbase, type Podbase, type PodbaseOptions } from "./podbase.ts";
export type { RequestedJob } from "./request.ts";
export type { JobFilter } from "./rest.ts";
export type { Runtime } from "./runtime.ts";
export { englishTexts, type Texts, type WaitingText, waitingText } from "./texts.ts";
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
