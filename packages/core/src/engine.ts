import type { Claim, PassSummary, Poll, Report, ReportResult, RequestBody, UploadSlot } from "./contracts.ts";
import type { AnyJob, JobCatalog } from "./define-job.ts";
import { PodbaseError } from "./errors.ts";
import { inParallel } from "./parallel.ts";
import { pollOnce, runPass } from "./pass.ts";
import type { Clock, Database, Storage } from "./ports.ts";
import { withoutSecrets } from "./redact.ts";
import { errorText } from "./report-of.ts";
import { locateConflict, toSubmission, toSubmissions } from "./requests.ts";
import type { RunOutcome, RunPod, Unavailable } from "./runpod.ts";
import { unstorable } from "./storable.ts";
import { Turns } from "./turns.ts";
import { validate } from "./validate.ts";

/** RunPod refuses bodies over 10 MiB (docs.runpod.io); what comes near is refused here, where it can be explained. */
const MAX_RUN_BYTES = 9 * 1024 * 1024;

/** What an {@link Engine} works with. */
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

/**
 * How long after its claim an attempt may still be posted, in ms. The claim's lease is 30 s; who was frozen or stuck for
 * longer must not post what somebody else may have given up.
 */
const LEASE_MS = 25_000;

/**
 * The engine: claim, call RunPod, record. It holds no state between two SQL functions, so it may die anywhere and any
 * number of it may run at once. `request-job`, `runpod-webhook` and `reconcile` all use it, with different budgets.
 */
export class Engine {
  readonly #options: Required<EngineOptions>;
  readonly #turns = new Turns();

  constructor(options: EngineOptions) {
    this.#options = { clock: Date, concurrency: 10, ...options };
  }

  /** Validates and stores a request. The claims it returns still have to be dispatched. Throws PodbaseError. */
  async request(user: string, kind: string, input: unknown, idempotencyKey?: string) {
    const { jobs, database } = this.#options;
    const body = { kind, input, idempotencyKey };
    return database.submitJob(await toSubmission(jobs, user, body)).catch((error: unknown) => {
      throw locateConflict(error, [body], () => []);
    });
  }

  /** Validates and stores many requests in one transaction, all or none; `dispatchReady` sends them. Throws PodbaseError. */
  async requestMany(user: string, bodies: RequestBody[]) {
    const requests = await toSubmissions(this.#options.jobs, user, bodies);
    return this.#options.database.submitJobs(requests).catch((error: unknown) => {
      throw locateConflict(error, bodies, (at) => ["jobs", at]);
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
    const until = this.#options.clock.now() + LEASE_MS;
    await inParallel(claims, this.#options.concurrency, async (claim) => {
      const outcome = await this.#submit(claim, until);
      await this.#options.database.recordSubmissions([{ attempt: claim.attempt, ...outcome }]);
    });
  }

  /**
   * Records a report and dispatches what it unblocked. `output` is checked against the task's schema before. The webhook of
   * a task with `confirm` is a hint: what RunPod itself says is recorded in the background, as part of `dispatched`.
   */
  async report(report: Report): Promise<ReportResult & { dispatched: Promise<void> }> {
    if (report.source === "webhook" && this.#taskOf(report.kind ?? "", report.task ?? "")?.confirm)
      return this.#confirm(report);
    const result = await this.#record(await this.#checkOutput(report));
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

  /** One round of everything that may be due, until `deadlineMs` (epoch). Throws when the database can't be told. */
  async pass(deadlineMs: number): Promise<PassSummary> {
    const { database, storage, runpod, clock, concurrency } = this.#options;
    return runPass(
      {
        database,
        storage,
        runpod,
        clock,
        concurrency,
        dispatch: (claims) => this.dispatch(claims),
        poll: (poll) => this.#poll(poll),
      },
      deadlineMs,
    );
  }

  async #submit(claim: Claim, until: number): Promise<RunOutcome> {
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
    let bytes: number;
    try {
      bytes = new TextEncoder().encode(JSON.stringify(request)).length;
    } catch (error) {
      return { outcome: "rejected", class: "bad_input", error: `the task's input is no JSON: ${error}` };
    }
    if (bytes > MAX_RUN_BYTES) {
      return { outcome: "rejected", class: "bad_input", error: "the task's input is over 9 MiB" };
    }
    if (this.#options.clock.now() > until) {
      return {
        outcome: "not_sent",
        class: "transient_network",
        error: "the claim grew too old to be posted",
      };
    }
    if (claim.submitPolicy === "at_most_once") {
      // So that a function which dies before leaves no doubt, and one that comes too late does not post.
      const told = this.#options.database.recordSubmissions([{ attempt: claim.attempt, outcome: "posting" }]);
      const refused = await told.then(
        (changed) => (changed === 1 ? undefined : "the claim is no longer ours"),
        (error: unknown) => `not announced: ${error}`,
      );
      if (refused) return { outcome: "not_sent", class: "transient_network", error: refused };
    }
    return this.#options.runpod.run(claim.endpoint.providerId, request);
  }

  #poll(poll: Poll): Promise<Unavailable | undefined> {
    return pollOnce(this.#options.runpod, this.#turns, (report) => this.report(report), poll);
  }

  /** Keeps a hint, and looks up what it is about once it is answered. */
  async #confirm(report: Report): Promise<ReportResult & { dispatched: Promise<void> }> {
    const { poll, ...result } = await this.#options.database.recordHint(report);
    // Without an answer the next look, which the hint has set to soon, finds out.
    const confirmed = poll ? this.#poll(poll).then(() => undefined) : undefined;
    return { ...result, dispatched: Promise.all([this.dispatch(result.claims), confirmed]).then(() => {}) };
  }

  /** Records a report. An output that the database refuses for its size is a failure of the task, not of the call. */
  async #record(report: Report): Promise<ReportResult> {
    const { database } = this.#options;
    try {
      return await database.recordReport(report);
    } catch (error) {
      if (!(error instanceof PodbaseError && error.code === "payload_too_large")) throw error;
      const { output: _dropped, ...rest } = report;
      return database.recordReport({
        ...rest,
        class: "invalid_output",
        error: "the output is over 20 MB; big results belong into artifacts",
      });
    }
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
    // A schema that throws, or makes what is no JSON, would do so each time the result is asked for, until RunPod has
    // forgotten it.
    const checked = await validate(task.output, isRecord(report.output) ? own : report.output)
      .then((checked) => {
        JSON.stringify(checked);
        return checked;
      })
      .catch((error: unknown) => ({
        issues: [{ path: [], message: `the output's schema threw: ${error}` }],
      }));
    if (checked.issues) {
      const error = checked.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
      // Kept for a week to show what was wrong; a handler that gives back its input must not leave its token there.
      const output: unknown = JSON.parse(withoutSecrets(JSON.stringify(report.output ?? null)));
      return { ...report, output, class: "invalid_output", error: errorText(error) };
    }
    return {
      ...report,
      output:
        isRecord(checked.value) && podbase !== undefined ? { ...checked.value, podbase } : checked.value,
    };
  }
}

/** The plan's name of a task: an item of a map, such as `image[3]`, runs what the plan calls `image`. */
const plannedName = (task: string): string => task.replace(/\[\d+\]$/, "");

/** A task's name inside a storage path, where Supabase takes no brackets: `image.3`. As podbase_private.artifact_path. */
const storedName = (task: string): string => task.replace(/\[(\d+)\]$/, ".$1");

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
