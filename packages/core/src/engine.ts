import type { Claim, ProviderJob, Report, ReportResult, RequestBody, UploadSlot } from "./contracts.ts";
import type { AnyJob, JobCatalog } from "./define-job.ts";
import type { Clock, Database, Storage } from "./ports.ts";
import { locateConflict, toSubmission, toSubmissions } from "./requests.ts";
import type { RunOutcome, RunPod } from "./runpod.ts";
import type { ProviderStatus } from "./states.ts";
import { storableText, unstorable } from "./storable.ts";
import { validate } from "./validate.ts";

/** RunPod refuses bodies over 10 MiB (docs.runpod.io); what comes near is refused here, where it can be explained. */
const MAX_RUN_BYTES = 9 * 1024 * 1024;

export interface EngineOptions {
  jobs: JobCatalog;
  database: Database;
  storage: Storage;
  runpod: RunPod;
  /** Base URL of the webhook function; kind, task and attempt are appended. */
  webhookUrl: string;
  clock?: Clock;
  /** Calls to RunPod at once. */
  concurrency?: number;
}

/** What one pass of `reconcile` did. */
export interface PassSummary {
  submitted: number;
  polled: number;
  canceled: number;
  /** Files of deleted jobs and of attempts without a result. */
  filesDeleted: number;
}

/**
 * The engine: claim, call RunPod, record. It holds no state between two SQL functions, so it may die anywhere and any
 * number of it may run at once. `request-job`, `runpod-webhook` and `reconcile` all use it, with different budgets.
 */
export class Engine {
  readonly #options: Required<EngineOptions>;

  constructor(options: EngineOptions) {
    this.#options = { clock: Date, concurrency: 10, ...options };
  }

  /** Validates and stores a request. The claims it returns still have to be dispatched. Throws PodbaseError. */
  async request(user: string, kind: string, input: unknown, idempotencyKey?: string) {
    const { jobs, database } = this.#options;
    return database.submitJob(await toSubmission(jobs, user, { kind, input, idempotencyKey }));
  }

  /** Validates and stores many requests in one transaction, all or none; `dispatchReady` sends them. Throws PodbaseError. */
  async requestMany(user: string, bodies: RequestBody[]) {
    const requests = await toSubmissions(this.#options.jobs, user, bodies);
    return this.#options.database.submitJobs(requests).catch((error: unknown) => {
      throw locateConflict(error, bodies);
    });
  }

  /** Claims what is ready, whosever it is, and dispatches it, until nothing is left or `deadlineMs` (epoch) has come. */
  async dispatchReady(deadlineMs: number): Promise<void> {
    while (this.#options.clock.now() < deadlineMs) {
      const claims = await this.#options.database.claimTasks(50);
      if (claims.length === 0) return;
      await this.dispatch(claims);
    }
  }

  /** Posts claimed attempts to RunPod and records how that ended, each by itself so that none waits for another. */
  async dispatch(claims: Claim[]): Promise<void> {
    await inParallel(claims, this.#options.concurrency, async (claim) => {
      const outcome = await this.#submit(claim);
      await this.#options.database.recordSubmissions([{ attempt: claim.attempt, ...outcome }]);
    });
  }

  /** Records a report and dispatches what it unblocked. `output` is checked against the task's schema before. */
  async report(report: Report): Promise<ReportResult & { dispatched: Promise<void> }> {
    const result = await this.#options.database.recordReport(await this.#checkOutput(report));
    return { ...result, dispatched: this.dispatch(result.claims) };
  }

  /** Fresh upload slots for an attempt, as many as it declared artifacts. */
  async uploads(
    claim: Pick<Claim, "user" | "job" | "task" | "attempt" | "artifacts">,
  ): Promise<Record<string, UploadSlot>> {
    const slots = await Promise.all(
      Object.entries(claim.artifacts).map(async ([name, contentType]) => {
        const path = [claim.user, claim.job, storedName(claim.task), claim.attempt, name].join("/");
        return [name, { url: await this.#options.storage.signUpload(path), path, contentType }] as const;
      }),
    );
    return Object.fromEntries(slots);
  }

  /**
   * One round of everything that may be due: cancels, submissions, polls. Goes on until nothing is due or
   * `deadlineMs` (epoch) has come; what is left is taken by the next round.
   */
  async pass(deadlineMs: number): Promise<PassSummary> {
    const { database, clock } = this.#options;
    const summary: PassSummary = { submitted: 0, polled: 0, canceled: 0, filesDeleted: 0 };
    while (clock.now() < deadlineMs) {
      const [cancels, claims, polls] = await Promise.all([
        database.claimCancels(50),
        database.claimTasks(50),
        database.claimPolls(50),
      ]);
      if (cancels.length + claims.length + polls.length === 0) break;
      await Promise.all([
        inParallel(cancels, 5, (cancel) => this.#cancel(cancel)),
        this.dispatch(claims),
        inParallel(polls, this.#options.concurrency, (poll) => this.#poll(poll)),
      ]);
      summary.canceled += cancels.length;
      summary.submitted += claims.length;
      summary.polled += polls.length;
    }
    // Last, and one batch however busy it is: a Storage that is down then holds up nothing else.
    summary.filesDeleted = await this.#deleteFiles();
    return summary;
  }

  async #deleteFiles(): Promise<number> {
    const { database, storage } = this.#options;
    const files = await database.claimFileDeletes(500);
    if (files.length === 0) return 0;
    await storage.remove(files.map(({ path }) => path));
    return database.recordFileDeletes(files.map(({ id }) => id));
  }

  async #submit(claim: Claim): Promise<RunOutcome> {
    const task = this.#taskOf(claim.kind, claim.task);
    if (!task) {
      return {
        outcome: "rejected",
        class: "bad_input",
        error: `this deploy has no task ${claim.kind}.${claim.task}`,
      };
    }
    let input: Record<string, unknown>;
    try {
      input = task.input({
        ...claim.upstream,
        input: claim.input,
        item: claim.item,
        index: claim.index,
      } as never);
    } catch (error) {
      return { outcome: "rejected", class: "bad_input", error: `the task's input function threw: ${error}` };
    }
    const callback = [
      this.#options.webhookUrl,
      ...[claim.kind, claim.task, claim.attempt].map(encodeURIComponent),
    ].join("/");
    let uploads: Record<string, UploadSlot>;
    try {
      uploads = await this.uploads(claim);
    } catch (error) {
      return { outcome: "not_sent", class: "transient_network", error: `no upload slots: ${error}` };
    }
    const request = {
      input: {
        ...input,
        podbase: {
          job: claim.job,
          task: claim.task,
          attempt: claim.attempt,
          callback,
          token: claim.token,
          uploads,
        },
      },
      webhook: `${callback}?token=${claim.token}`,
      policy: { executionTimeout: claim.endpoint.executionTimeoutMs, ttl: claim.endpoint.ttlMs },
    };
    if (new TextEncoder().encode(JSON.stringify(request)).length > MAX_RUN_BYTES) {
      return { outcome: "rejected", class: "bad_input", error: "the task's input is over 9 MiB" };
    }
    return this.#options.runpod.run(claim.endpoint.providerId, request);
  }

  async #poll(poll: {
    attempt: string;
    providerId: string;
    endpoint: { providerId: string };
    kind: string;
    task: string;
  }) {
    const found = await this.#options.runpod.status(poll.endpoint.providerId, poll.providerId);
    // Unavailable is no news; claim_polls has already set the next look.
    if (found.kind === "unavailable") return;
    const about = { attempt: poll.attempt, source: "poll", kind: poll.kind, task: poll.task } as const;
    const { dispatched } = await this.report(
      found.kind === "not_found" ? { ...about, status: "NOT_FOUND" } : { ...about, ...reportOf(found.job) },
    );
    await dispatched;
  }

  async #cancel(cancel: { attempt: string; providerId: string; endpoint: { providerId: string } }) {
    const answer = await this.#options.runpod.cancel(cancel.endpoint.providerId, cancel.providerId);
    if (answer.kind === "unavailable") return;
    await this.#options.database.recordCancels([cancel.attempt]);
  }

  /** What this deploy knows of a task. The names may be anything, even those of Object's own properties. */
  #taskOf(kind: string, task: string): AnyJob["tasks"][string] | undefined {
    const { jobs } = this.#options;
    const tasks = Object.hasOwn(jobs, kind) ? jobs[kind]?.tasks : undefined;
    const name = plannedName(task);
    return tasks && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  }

  /** A COMPLETED whose output doesn't fit its schema, or can't be stored, is reported as the failure it is. */
  async #checkOutput(report: Report): Promise<Report> {
    if (report.status !== "COMPLETED") return report;
    const wrong = unstorable(report.output);
    if (wrong) {
      // Dropped: no database takes it, whether a webhook brings it or a poll, and the task has to end.
      const { output: _, ...rest } = report;
      return {
        ...rest,
        class: "invalid_output",
        error: `${wrong.path.slice(0, 5).join(".")}: ${wrong.message}`,
      };
    }
    const task = this.#taskOf(report.kind ?? "", report.task ?? "");
    if (!task) return report;
    const { podbase, ...own } = isRecord(report.output) ? report.output : { podbase: undefined };
    const checked = await validate(task.output, isRecord(report.output) ? own : report.output);
    if (checked.issues) {
      const error = checked.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
      return { ...report, class: "invalid_output", error };
    }
    return {
      ...report,
      output:
        isRecord(checked.value) && podbase !== undefined ? { ...checked.value, podbase } : checked.value,
    };
  }
}

/** What a RunPod job object says, as a report. Its `error` may be text, JSON in text, or an object. */
export function reportOf(job: ProviderJob): Omit<Report, "attempt" | "source"> {
  return {
    status: storableText(job.status) as ProviderStatus,
    ...(job.id === undefined ? {} : { providerId: storableText(job.id) }),
    ...(job.status === "COMPLETED" ? { output: job.output ?? {} } : {}),
    ...(job.error === undefined || job.error === null ? {} : { error: errorText(job.error) }),
    ...(job.delayTime === undefined ? {} : { delayTime: wholeMs(job.delayTime) }),
    ...(job.executionTime === undefined ? {} : { executionTime: wholeMs(job.executionTime) }),
    ...(job.workerId === undefined ? {} : { workerId: storableText(job.workerId) }),
  };
}

function errorText(error: unknown): string {
  if (typeof error === "string") return storableText(error);
  const wrong = unstorable(error);
  return wrong ? `an error that can't be shown: ${wrong.message}` : JSON.stringify(error);
}

/** Milliseconds as a bigint of the database. */
const wholeMs = (ms: number): number => Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER);

/** The plan's name of a task: an item of a map, such as `image[3]`, runs what the plan calls `image`. */
const plannedName = (task: string): string => task.replace(/\[\d+\]$/, "");

/** A task's name inside a storage path, where Supabase takes no brackets: `image.3`. As podbase_private.artifact_path. */
const storedName = (task: string): string => task.replace(/\[(\d+)\]$/, ".$1");

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function inParallel<T>(items: T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
