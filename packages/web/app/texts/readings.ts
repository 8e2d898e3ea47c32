/** A job that may still change. */
export function isOpen(job: { status: string }): boolean {
  return job.status === "queued" || job.status === "processing";
}

/** A reading whose end nobody has looked at yet. */
export function isUnseen(job: { finishedAt: string | null; seenAt: string | null }): boolean {
  return job.finishedAt !== null && (job.seenAt === null || job.seenAt < job.finishedAt);
}

/** A job's status in a word for people. */
export function statusWord(status: string): string {
  return statusWords[status] ?? status;
}

const statusWords: Record<string, string> = {
  queued: "in line",
  processing: "under way",
  completed: "ready",
  failed: "failed",
  canceled: "stopped",
};

/** A day as people write it: `10 December 1815`. */
export function spokenDay(date: string): string {
  // Noon: no time zone moves it to another day.
  return new Date(`${date}T12:00:00`).toLocaleDateString(undefined, { dateStyle: "long" });
}

/** When something happened: the time if today, else the day. */
export function spokenTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  if (time.toDateString() === now.toDateString()) {
    return `today, ${time.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}`;
  }
  const year = time.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return time.toLocaleDateString(undefined, { day: "numeric", month: "long", ...year });
}
