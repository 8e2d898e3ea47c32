import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Plan, Reuse } from "./contracts.ts";

type OutputOf<S> = S extends StandardSchemaV1<infer _I, infer O> ? O : never;
/** One task of a job: where it runs, what comes before it, what it is given and what it must give back. */
export interface TaskSpec<Input, Outputs, Own, Maps = string, List = ListOf<Outputs>> {
  /** Names an ordered list of endpoints in the database; code never holds a RunPod endpoint id. */
  route: string;
  /** Tasks of the same job that must be completed first. */
  after?: readonly (keyof Outputs)[];
  /**
   * Makes the input of the RunPod job from the job's input and the outputs of the tasks in `after`. TypeScript knows the
   * outputs of all siblings here; only those in `after` are there at run time.
   */
  input: (
    context: { input: Input; item: unknown; index: number } & Seen<Outputs, Maps>,
  ) => Record<string, unknown>;
  /**
   * Runs the task once for each element of a list, in the job's input or in the output of a task in `after`, found at
   * `path`. The runs are tasks of their own, `name[0]`, `name[1]`, …; `item` and `index` tell them apart. What comes after
   * sees the list of their outputs, with null for an optional one that did not complete. Over 1,000 elements, or over 100 MB
   * of outputs together, it fails as `invalid_output`.
   */
  map?: List;
  /** Where to go after a failure of a class, such as `{ out_of_memory: "big-gpu" }`. */
  reroute?: Record<string, string>;
  /** What the worker must return. Anything else is a failure of class `invalid_output`. */
  output: StandardSchemaV1<unknown, Own>;
  /** Files the worker uploads: name (letters, digits, `_.-`) → content type. Each gets a signed upload slot. */
  artifacts?: Record<string, string>;
  /** A failed optional task doesn't fail the job. */
  optional?: boolean;
  /**
   * After a POST to RunPod without a clear answer: `at_least_once` (default) submits again after the evidence
   * window, `at_most_once` never does. A failure that RunPod told is no doubt: it is tried again up to `maxAttempts`.
   */
  submitPolicy?: "at_least_once" | "at_most_once";
  /**
   * Takes RunPod's webhook for a hint only: what it says is asked for again with `/status` before it is recorded. RunPod
   * signs nothing, so a webhook is as good as the token in its URL; this also holds when that URL has leaked, for a call
   * more.
   */
  confirm?: boolean;
  /** Failures that count before the task fails for good; 3 if absent. */
  maxAttempts?: number;
}

/** Where the list of a map is. */
interface ListOf<Outputs> {
  over: "input" | (keyof Outputs & string);
  path: readonly string[];
}

/** What tasks see of each other: one output, or those of all items of a map. */
type Seen<Outputs, Maps> = string extends Maps
  ? Outputs
  : { [T in keyof Outputs]: T extends Maps ? (Outputs[T] | null)[] : Outputs[T] };

/** A job kind as `defineJob` returns it. */
export interface JobDefinition<
  Kind extends string = string,
  Schema extends StandardSchemaV1 = StandardSchemaV1,
  Outputs extends Record<string, unknown> = Record<string, unknown>,
  Artifacts extends { [T in keyof Outputs]: string } = { [T in keyof Outputs]: string },
  Maps = string,
> {
  kind: Kind;
  input: Schema;
  tasks: {
    [T in keyof Outputs]: TaskSpec<
      OutputOf<Schema>,
      Outputs,
      Outputs[T],
      Maps,
      T extends Maps ? ListOf<Outputs> : never
    >;
  };
  /** Off if absent: the same input again is then work again. `{ scope: "global", … }` shares results among users. */
  reuse?: Reuse;
  /** Only for types: the names of each task's artifacts. */
  readonly artifactNames?: Artifacts;
  /** Only for types: the names of the tasks with a map; any string where they are not known. */
  readonly mapNames?: Maps;
}

/**
 * Defines a job kind: its input, its tasks and what they hand each other, typed end to end. Any Standard Schema will do
 * (standardschema.dev); zod is only one of them.
 */
export function defineJob<
  const Kind extends string,
  Schema extends StandardSchemaV1,
  Outputs extends Record<string, unknown>,
  Files extends Record<string, unknown>,
  Lists extends Record<string, unknown>,
>(definition: {
  kind: Kind;
  input: Schema;
  reuse?: Reuse;
  // Again and again, because TypeScript infers only the parameter whose keys a mapped type walks.
  tasks: { [T in keyof Outputs]: TaskSpec<OutputOf<Schema>, Outputs, Outputs[T], MapsIn<Lists>> } & {
    [T in keyof Files]: { artifacts?: Files[T]; [more: string]: unknown };
  } & {
    [T in keyof Lists]: { map?: Lists[T]; [more: string]: unknown };
  };
}): JobDefinition<Kind, Schema, Outputs, NamesByTask<Outputs, Files>, MapsIn<Lists>> {
  return definition as unknown as JobDefinition<
    Kind,
    Schema,
    Outputs,
    NamesByTask<Outputs, Files>,
    MapsIn<Lists>
  >;
}

/** The names of the tasks that have a map. */
type MapsIn<Lists> = {
  [T in keyof Lists]: [Lists[T]] extends [never] ? never : Lists[T] extends { over: string } ? T : never;
}[keyof Lists];

/** The names of the artifacts that each task declares; `never` for one that declares none. */
type NamesByTask<Outputs, Files> = {
  [T in keyof Outputs]: T extends keyof Files
    ? Files[T] extends Record<string, string>
      ? keyof Files[T] & string
      : never
    : never;
};

/** Any job definition, where its types don't matter. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where all definitions must fit.
export type AnyJob = JobDefinition<any, any, any, any, any>;
/** Job definitions by kind, as `supabase/functions/_shared/jobs.ts` exports them. */
export type JobCatalog = Record<string, AnyJob>;

/** What `jobs.request` takes for this kind. */
export type InputOf<J extends AnyJob> =
  J extends JobDefinition<string, infer S, infer _O, infer _A, infer _M>
    ? S extends StandardSchemaV1<infer I, infer _Out>
      ? I
      : never
    : never;
/** Output by task name. */
export type OutputsOf<J extends AnyJob> =
  J extends JobDefinition<string, infer _S, infer O, infer _A, infer _M> ? O : never;
/** The names of the artifacts that the tasks of this kind declare, by task name. */
export type ArtifactNamesByTask<J extends AnyJob> =
  J extends JobDefinition<string, infer _S, infer _O, infer A, infer _M> ? A : never;
/** The names of the tasks of this kind that have a map. */
export type MapNames<J extends AnyJob> =
  J extends JobDefinition<string, infer _S, infer _O, infer _A, infer M>
    ? string extends M
      ? never
      : M & string
    : never;
/** The names of all artifacts of this kind. */
export type ArtifactNames<J extends AnyJob> = ArtifactNamesByTask<J>[keyof ArtifactNamesByTask<J>] & string;

/** The plan that is stored with a job, so that jobs in flight survive a new deploy. */
export function planOf(job: AnyJob): Plan {
  return {
    ...(job.reuse === undefined ? {} : { reuse: job.reuse }),
    tasks: Object.entries(job.tasks as Record<string, TaskSpec<unknown, object, unknown>>).map(
      ([name, task]) => ({
        name,
        route: task.route,
        after: task.after ?? [],
        artifacts: task.artifacts ?? {},
        optional: task.optional ?? false,
        submitPolicy: task.submitPolicy ?? "at_least_once",
        maxAttempts: task.maxAttempts ?? 3,
        ...(task.map === undefined ? {} : { map: task.map }),
        ...(task.reroute === undefined ? {} : { reroute: task.reroute }),
      }),
    ),
  };
}
