import type {
  AnyJob,
  ArtifactNames,
  ArtifactNamesByTask,
  InputOf,
  JobCatalog,
  JobDefinition,
  JobStatus,
  MapNames,
  OutputsOf,
  Phase,
  TaskStatus,
} from "@podbase/core";

// Only types cross from core: its schema library never reaches an app's bundle.
export type {
  AnyJob,
  ArtifactNames,
  InputOf,
  JobCatalog,
  JobDefinition,
  JobStatus,
  OutputsOf,
  Phase,
  TaskStatus,
};

/** A status after which nothing changes any more. */
export type TerminalStatus = "completed" | "failed" | "canceled";

/** The validated input, as it is stored: defaults are filled in. */
type StoredInputOf<J extends AnyJob> =
  J extends JobDefinition<string, infer S, infer _O, infer _A, infer _M>
    ? NonNullable<S["~standard"]["types"]>["output"]
    : never;

/** A soft word to the person who waits; it never changes a status. Times are ISO 8601. */
export interface Notice {
  code: string;
  message: string;
  since: string;
  eta?: string;
}

/** Why a job or task failed. */
export interface Failure {
  code: string;
  message: string;
}

/** A file that a task left in the private bucket. Ask `podbase.artifacts` for its content or an address. */
export interface Artifact<Name extends string = string> {
  name: Name;
  /** The task that made it. */
  task: string;
  /** Path in the bucket. */
  path: string;
  contentType: string;
  bytes: number;
  /** SHA-256 in lower-case hex, if the worker told it. */
  sha256: string | null;
  createdAt: string;
}

/** What jobs and tasks have in common. Times are ISO 8601. */
interface Progressing {
  phase: Phase;
  /** Rises with every change. */
  version: number;
  /** Between 0 and 1; null while nothing is known. */
  progress: number | null;
  notice: Notice | null;
  /** Set when, and only when, the status is `failed`. */
  error: Failure | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

interface TaskInCommon<ArtifactName extends string, Name extends string> extends Progressing {
  id: string;
  name: Name;
  /**
   * The files there are. A completed task has all that its definition declares. The names are those of the whole job,
   * so each may be missing as far as TypeScript can tell.
   */
  artifacts: { readonly [A in ArtifactName]?: Artifact<A> };
}

/** A task that is done: its output is there. */
export interface CompletedTask<
  Output = unknown,
  ArtifactName extends string = string,
  Name extends string = string,
> extends TaskInCommon<ArtifactName, Name> {
  status: "completed";
  /** Null once retention has emptied it, which a project must ask for (`keepPayloads`, off by default). */
  output: Output;
}

/** A task that is not done, or never will be. */
export interface UncompletedTask<ArtifactName extends string = string, Name extends string = string>
  extends TaskInCommon<ArtifactName, Name> {
  status: Exclude<TaskStatus, "completed">;
  output: null;
}

/** One step of a job. Check `status` for `completed` before you reach for the output: the types insist. */
export type Task<Output = unknown, ArtifactName extends string = string, Name extends string = string> =
  | CompletedTask<Output, ArtifactName, Name>
  | UncompletedTask<ArtifactName, Name>;

/** A job as its owner sees it, at one version. */
export interface Job<J extends AnyJob = JobDefinition> extends Progressing {
  id: string;
  kind: J["kind"];
  status: JobStatus;
  input: StoredInputOf<J>;
  idempotencyKey: string | null;
  /** When the owner's app last said that the result was shown. */
  seenAt: string | null;
  /** By name. The items of a map are tasks of their own: `card[0]`, `card[1]`, … beside the map's own row `card`. */
  tasks: {
    readonly [Name in (keyof OutputsOf<J> & string) | `${MapNames<J>}[${number}]`]: TaskOf<J, Name>;
  };
}

/** The own row of a map holds the list of its items' outputs, null for those that did not complete, and no file. */
type TaskOf<J extends AnyJob, Name extends string> =
  Name extends MapNames<J>
    ? Task<(OutputsOf<J>[Name] | null)[], never, Name>
    : Name extends `${infer Of extends MapNames<J>}[${number}]`
      ? Task<OutputsOf<J>[Of], ArtifactNamesByTask<J>[Of] & string, Name>
      : Task<OutputsOf<J>[Name], ArtifactNamesByTask<J>[Name] & string, Name>;

/** The catalog of those who did not say which jobs they have: any kind, any input, outputs unknown. */
export type UntypedCatalog = Record<string, JobDefinition>;

/** The kinds of a catalog. */
export type KindOf<Jobs extends JobCatalog> = Jobs[keyof Jobs]["kind"];

type WithKind<J, Kind> = J extends AnyJob ? (Kind extends J["kind"] ? J : never) : never;

/** The definition of a kind. */
export type DefinitionOf<Jobs extends JobCatalog, Kind extends string> = WithKind<Jobs[keyof Jobs], Kind>;

type Distribute<J> = J extends AnyJob ? Job<J> : never;

/** A job of any of the kinds; `job.kind` tells which. */
export type JobOf<Jobs extends JobCatalog> = Distribute<Jobs[keyof Jobs]>;

/** Whether a job has come to its end: nothing of it changes any more. */
export const isTerminal = <J extends { status: JobStatus }>(job: J): job is J & { status: TerminalStatus } =>
  isTerminalStatus(job.status);

/** Whether a job or task of this status has come to its end. */
export const isTerminalStatus = (status: TaskStatus): status is TerminalStatus =>
  status === "completed" || status === "failed" || status === "canceled";
