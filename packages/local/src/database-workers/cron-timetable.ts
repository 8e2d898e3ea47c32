import { parseSchedule, type Schedule } from "./cron-schedule.ts";

/** A row of `cron.job`. */
export interface CronJob {
  jobid: string;
  schedule: string;
  command: string;
  database: string;
  username: string;
}

interface Entry {
  job: CronJob;
  schedule: Schedule;
  /** Start of the last run, or when the job was first seen; in milliseconds. */
  lastStart: number;
  /** Runs that are due; a job has at most one under way, so they may queue up. */
  pending: number;
  running: boolean;
}

const MINUTE_MS = 60_000;
/** After a longer jump of the clock (a suspended laptop) the minutes between are not made up for. */
const MAX_MISSED_MINUTES = 5;

/** Which jobs are due, by the rules of pg_cron's launcher (github.com/citusdata/pg_cron, `StartAllPendingRuns`). */
export class CronTimetable {
  #entries = new Map<string, Entry>();
  #lastMinute: number;
  readonly #rejected: (job: CronJob, error: Error) => void;

  /** `rejected` hears of jobs whose schedule can't be read; they never run. */
  constructor(nowMs: number, rejected: (job: CronJob, error: Error) => void) {
    this.#lastMinute = Math.floor(nowMs / MINUTE_MS);
    this.#rejected = rejected;
  }

  /** Takes over the active jobs of the table. Jobs that stay keep their cadence. */
  replaceJobs(jobs: readonly CronJob[], nowMs: number): void {
    const next = new Map<string, Entry>();
    for (const job of jobs) {
      const known = this.#entries.get(job.jobid);
      if (known?.job.schedule === job.schedule) {
        known.job = job;
        next.set(job.jobid, known);
        continue;
      }
      try {
        const schedule = parseSchedule(job.schedule);
        const pending = schedule.kind === "reboot" && known === undefined ? 1 : 0;
        next.set(job.jobid, { job, schedule, lastStart: nowMs, pending, running: known?.running ?? false });
      } catch (error) {
        this.#rejected(job, error as Error);
      }
    }
    this.#entries = next;
  }

  /** The jobs to start now; each counts as running until `finished`. */
  takeDue(nowMs: number): CronJob[] {
    const minutes = this.#passedMinutes(nowMs);
    const due: CronJob[] = [];
    for (const entry of this.#entries.values()) {
      const { schedule } = entry;
      if (schedule.kind === "minutes") {
        entry.pending += minutes.filter((minute) => schedule.isDue(minute)).length;
      } else if (schedule.kind === "seconds" && entry.pending === 0) {
        if (nowMs - entry.lastStart >= schedule.seconds * 1000) entry.pending = 1;
      }
      if (entry.pending === 0 || entry.running) continue;
      entry.pending -= 1;
      entry.running = true;
      entry.lastStart = nowMs;
      due.push(entry.job);
    }
    return due;
  }

  /** A run of the job has ended; the next may start. */
  finished(jobid: string): void {
    const entry = this.#entries.get(jobid);
    if (entry) entry.running = false;
  }

  #passedMinutes(nowMs: number): Date[] {
    const current = Math.floor(nowMs / MINUTE_MS);
    const passed = current - this.#lastMinute;
    if (passed === 0) return [];
    this.#lastMinute = current;
    const first = passed < 0 || passed > MAX_MISSED_MINUTES ? current : current - passed + 1;
    return Array.from({ length: current - first + 1 }, (_, index) => new Date((first + index) * MINUTE_MS));
  }
}
