import type { Execution, Ledger } from "./ledger.ts";
import { type Repeat, repeatOf } from "./repeats.ts";
import type { Requested } from "./requests.ts";
import type { Rows } from "./rows.ts";

/** What the two sides of the account come to when they are laid beside each other. */
export interface Account {
  completed: number;
  failed: number;
  /** Failed jobs by their error's code. */
  failures: Record<string, number>;
  /**
   * Requests that were never answered; jobs that are gone or have not ended; tasks whose work RunPod completed, with its
   * files in Storage, and which are not completed all the same, or only by another attempt, because RunPod had forgotten
   * the first one's result.
   */
  lost: number;
  /**
   * Requests that made two jobs; tasks completed twice, by two attempts, with another attempt's output or files, or with
   * more or fewer files than declared; versions that are missing or there twice; jobs that ended twice.
   */
  duplicateEffects: number;
  /** Times that a task's work was done again without a cause that its policy allows: see `repeats.ts`. */
  paidTwice: number;
  /** Times that it was done again, by the cause that allows it. */
  repeats: Record<Repeat, number>;
  /** The longest time in seconds between the end of work at RunPod and the attempt's row that shows it. */
  maxStalenessS: number;
  /** What is wrong, one sentence each, with the ids to look it up. */
  findings: string[];
}

/** Lays what was asked for and what RunPod did beside what the database says. Changes nothing. */
export function accountOf(requests: Requested[], ledger: Ledger, rows: Rows): Account {
  const findings: string[] = [];
  const failures: Record<string, number> = {};
  for (const { error } of rows.jobs) if (error !== null) failures[error] = (failures[error] ?? 0) + 1;
  const tell = (kind: string, list: string[]): number => {
    findings.push(...list.map((what) => `${kind}: ${what}`));
    return list.length;
  };
  const repeats: Record<Repeat, number> = {
    worker_lost: 0,
    told_failure: 0,
    evidence_window: 0,
    forgotten: 0,
  };
  return {
    completed: rows.jobs.filter((job) => job.status === "completed").length,
    failed: rows.jobs.filter((job) => job.status === "failed").length,
    failures,
    lost: tell("lost", [...lostJobs(requests, rows), ...lostResults(ledger, rows)]),
    duplicateEffects: tell("duplicate", [
      ...twinJobs(requests, rows),
      ...twinEffects(rows),
      ...wrongVersions(rows),
    ]),
    paidTwice: tell("paid twice", unexplainedRepeats(ledger, rows, repeats)),
    repeats,
    maxStalenessS: Math.round(Math.max(0, ...staleness(ledger, rows))) / 1000,
    findings,
  };
}

function lostJobs(requests: Requested[], rows: Rows): string[] {
  const byId = new Map(rows.jobs.map((job) => [job.id, job]));
  return requests.flatMap(({ key, job }) => {
    if (job === undefined) return [`request ${key} was never answered`];
    const row = byId.get(job);
    if (!row) return [`job ${job} is gone`];
    return row.finishedAt === null ? [`job ${job} is still ${row.status}`] : [];
  });
}

function lostResults(ledger: Ledger, rows: Rows): string[] {
  const tasks = new Map(rows.tasks.map((task) => [`${task.job} ${task.name}`, task]));
  const states = new Map(rows.attempts.map(({ id, state }) => [id, state]));
  return ledger.executions.flatMap((execution) => {
    const { job, task, attempt, runpodJob, doneAt } = execution;
    if (doneAt === undefined || ledger.end(runpodJob)?.state !== "COMPLETED") return [];
    const row = tasks.get(`${job} ${task}`);
    // Not of this run, or its job is gone, which is told already.
    if (!row || (row.status === "completed" && states.get(attempt) !== "lost")) return [];
    return [
      `the result of attempt ${attempt} (RunPod ${runpodJob}): task ${task} of ${job} is ${row.status}`,
    ];
  });
}

function twinJobs(requests: Requested[], rows: Rows): string[] {
  const wanted = new Set(requests.map(({ key }) => key));
  const seen = new Set<string | null>();
  return rows.jobs.flatMap(({ id, key }) => {
    const isTwin = key === null || !wanted.has(key) || seen.has(key);
    seen.add(key);
    return isTwin ? [`job ${id} was made for nobody's or an answered request`] : [];
  });
}

function twinEffects(rows: Rows): string[] {
  const completions = groups(rows.events, (event) =>
    event.taskStatus === "completed" ? `${event.job} ${event.task}` : undefined,
  );
  const winners = groups(rows.attempts, ({ job, task, state }) =>
    state === "completed" ? `${job} ${task}` : undefined,
  );
  const files = groups(rows.artifacts, ({ job, task }) => `${job} ${task}`);
  return rows.tasks.flatMap((task) => {
    const key = `${task.job} ${task.name}`;
    const isCompleted = task.status === "completed";
    const found: string[] = [];
    const won = winners.get(key) ?? [];
    const stored = files.get(key) ?? [];
    const times = completions.get(key)?.length ?? 0;
    if (times !== (isCompleted ? 1 : 0))
      found.push(`task ${key} is ${task.status}, completed ${times} times`);
    if (won.length !== (isCompleted ? 1 : 0))
      found.push(`task ${key} was completed by ${won.length} attempts`);
    if (stored.length !== (isCompleted ? task.declared : 0))
      found.push(`task ${key} has ${stored.length} files`);
    const winner = won[0]?.id;
    // Null where the result itself was lost and its files were found in Storage.
    if (isCompleted && task.by !== null && task.by !== winner)
      found.push(`task ${key} has the output of ${task.by}`);
    if (stored.some(({ path }) => winner === undefined || !path.includes(winner)))
      found.push(`task ${key} has another attempt's files`);
    return found;
  });
}

function wrongVersions(rows: Rows): string[] {
  const events = groups(rows.events, ({ job }) => job);
  return rows.jobs.flatMap(({ id, version }) => {
    const own = events.get(id) ?? [];
    const isWhole = own.length === version && own.every((event, n) => event.version === n + 1);
    const ends = own.filter(
      ({ jobStatus }, n) => ENDED.has(jobStatus) && (n === 0 || !ENDED.has(own[n - 1]?.jobStatus ?? "")),
    );
    return [
      ...(isWhole ? [] : [`job ${id} is at version ${version} with ${own.length} versions in its history`]),
      ...(ends.length > 1 ? [`job ${id} ended ${ends.length} times`] : []),
    ];
  });
}

const ENDED = new Set(["completed", "failed", "canceled"]);

function unexplainedRepeats(ledger: Ledger, rows: Rows, repeats: Record<Repeat, number>): string[] {
  const attempts = new Map(rows.attempts.map((attempt) => [attempt.id, attempt]));
  const policies = new Map(rows.tasks.map((task) => [`${task.job} ${task.name}`, task.policy]));
  const events = groups(rows.events, (event) => `${event.job} ${event.task}`);
  const found: string[] = [];
  for (const [task, done] of groups(ledger.executions, (each) => `${each.job} ${each.task}`)) {
    const policy = policies.get(task);
    if (policy === undefined) continue;
    const numberOf = ({ attempt }: Execution) => attempts.get(attempt)?.number ?? 0;
    // By attempt: one that was given up may be worked on after its successor, by a worker that could not ask.
    const ordered = done.toSorted((a, b) => numberOf(a) - numberOf(b) || a.startedAt - b.startedAt);
    for (const [n, again] of ordered.entries()) {
      if (n === 0) continue;
      const before = ordered[n - 1] as Execution;
      const losses = ledger.losses(again.runpodJob);
      const repeat = repeatOf({
        before,
        again,
        losses,
        policy,
        attempt: attempts.get(before.attempt),
        events: events.get(task) ?? [],
      });
      if (repeat) repeats[repeat] += 1;
      else found.push(`task ${task} by ${nameOf(before)} and again by ${nameOf(again)}`);
    }
  }
  return found;
}

const nameOf = ({ attempt, runpodJob }: Execution) => `attempt ${attempt} (RunPod ${runpodJob})`;

/** Of each attempt that ended because RunPod's job ended. */
function staleness(ledger: Ledger, rows: Rows): number[] {
  return rows.attempts.flatMap(({ state, class: failure, runpodJob, finishedAt }) => {
    const end = runpodJob === null ? undefined : ledger.end(runpodJob);
    const isTold = state === "completed" || (state === "failed" && failure !== "missing_output");
    return end && isTold && finishedAt !== null ? [finishedAt - end.finishedAt] : [];
  });
}

function groups<T>(items: T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return found;
}
