import type { JobMessage } from "./message.ts";
import { isTerminalStatus, type Job, type Phase } from "./types.ts";

const WAITING: ReadonlySet<Phase> = new Set(["queued", "waiting_for_worker"]);

interface Entry {
  /** What is shown; null until the row was read once. */
  job: Job | null;
  /** The version of the newest row that was read. */
  read: number;
  /** The row has to be read at this version or a later one: something changed that messages don't carry. */
  wanted: number;
}

/** What is known of the jobs in view. Pure state: no I/O, no clock. */
export interface JobStore {
  /** Brings a job into view. */
  add(id: string): void;
  /** Forgets all jobs but these. */
  keepOnly(ids: ReadonlySet<string>): void;
  /** The newest snapshot, if there is one. */
  get(id: string): Job | null;
  /** Takes in a row. True if what is shown has changed. */
  applyRow(job: Job): boolean;
  /** Takes in a broadcast. True if what is shown has changed. */
  applyMessage(message: JobMessage): boolean;
  /** Jobs whose row has to be read. */
  stale(): string[];
  /** Whether something is worked on, and so may change at any moment. */
  isBusy(): boolean;
}

/**
 * The merge of rows and broadcasts, in any order, doubled or with gaps. What is shown never goes back in versions, and
 * once no job is stale it equals the newest row.
 */
export const createJobStore = (): JobStore => {
  const entries = new Map<string, Entry>();
  return {
    add(id) {
      if (!entries.has(id)) entries.set(id, { job: null, read: -1, wanted: 0 });
    },
    keepOnly(ids) {
      for (const id of entries.keys()) if (!ids.has(id)) entries.delete(id);
    },
    get: (id) => entries.get(id)?.job ?? null,
    applyRow(job) {
      const entry = entries.get(job.id);
      if (!entry) return false;
      entry.read = Math.max(entry.read, job.version);
      if (entry.job && (job.version < entry.job.version || sameContent(job, entry.job))) return false;
      entry.job = job;
      return true;
    },
    applyMessage(message) {
      const entry = entries.get(message.job);
      if (!entry || message.version <= (entry.job?.version ?? entry.read)) return false;
      const { job } = entry;
      const shows = job && !needsRow(job, message);
      // On top of a snapshot that lacks something, no message is whole: a row from between the two would be too old.
      if (!shows || entry.wanted > entry.read || !isWhole(job, message)) {
        entry.wanted = Math.max(entry.wanted, message.version);
      }
      if (!shows) return false;
      entry.job = merge(job, message);
      return true;
    },
    isBusy: () =>
      [...entries.values()].some(
        ({ job }) => job && !isTerminalStatus(job.status) && !WAITING.has(job.phase),
      ),
    stale: () => [...entries].filter(([, entry]) => entry.wanted > entry.read).map(([id]) => id),
  };
};

// Both come from toJob, which fixes the order of keys.
const sameContent = (a: Job, b: Job): boolean =>
  a.version === b.version && JSON.stringify(a) === JSON.stringify(b);

/**
 * Whether the message alone says all that changed since `job`: the very next version, and nothing but progress moved.
 * Any other change may have brought a notice or an error; and if nothing at all moved, something unseen did. That what
 * moves progress moves nothing else is a promise of the database (podbase_private.take_progress).
 */
const isWhole = (job: Job, message: JobMessage): boolean => {
  if (message.version !== job.version + 1 || message.status !== job.status || message.phase !== job.phase)
    return false;
  const now = message.task;
  if (!now) return message.progress !== job.progress;
  const before = job.tasks[now.name];
  if (!before || now.version !== before.version + 1) return false;
  if (now.status !== before.status || now.phase !== before.phase) return false;
  return now.progress !== before.progress;
};

/**
 * A job or task that ended is shown only with its output, artifacts or error, and one that is open again without: both are
 * in the row.
 */
const needsRow = (job: Job, { status, task }: JobMessage): boolean =>
  [status, job.status, task?.status, job.tasks[task?.name ?? ""]?.status].some(
    (each) => each && isTerminalStatus(each),
  );

const merge = (job: Job, message: JobMessage): Job => {
  const { version, status, phase, progress, at: updatedAt, task: now } = message;
  const merged: Job = { ...job, version, status, phase, progress, updatedAt };
  const before = now ? job.tasks[now.name] : undefined;
  // A task that is shown as ended was read from a row and has nothing to learn from an older message about it.
  if (
    !now ||
    !before ||
    before.status === "completed" ||
    now.status === "completed" ||
    now.version <= before.version
  ) {
    return merged;
  }
  const task = {
    ...before,
    status: now.status,
    phase: now.phase,
    version: now.version,
    progress: now.progress,
  };
  return { ...merged, tasks: { ...job.tasks, [now.name]: { ...task, updatedAt } } };
};
