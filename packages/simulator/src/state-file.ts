import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { JOB_TIMES, type Job } from "./core/job.ts";
import { isObject } from "./core/json.ts";
import type { JobStore } from "./core/world.ts";

/** Jobs on disk. */
export interface StateFile extends JobStore {
  /** What the file held, oldest first, with its times moved to the clock's. */
  readonly kept: Job[];
  /** How many processes used the file before. */
  readonly boots: number;
  close(): void;
}

/** One line of the file. */
type Line = { boots: number } | { at: number; job: { id: string } & Partial<Job> } | { removed: string };

interface Contents {
  boots: number;
  at: number;
  jobs: Map<string, Job>;
}

const COMPACT_ABOVE_BYTES = 16 * 1024 ** 2;

/**
 * A journal: each change adds a line, written before anyone hears of the change, so that a killed process loses
 * nothing. Inputs stand only in a job's first line. Opening the file, and outgrowing 16 MiB, rewrites it whole
 * and renames it into place. Throws on a file that is not such a journal. A change that the disk has no room for throws,
 * and is made up for with the next.
 */
export const openStateFile = (path: string, now: () => number): StateFile => {
  const contents = load(path);
  const kept = [...contents.jobs.values()];
  shift(kept, Math.min(0, now() - contents.at));

  const jobs = new Map(kept.map((job) => [job.id, job]));
  let file: number | undefined;
  let bytes = 0;
  let compactAbove = COMPACT_ABOVE_BYTES;
  let isBehind = false;

  const write = (line: Line) => {
    if (file === undefined) return;
    if (isBehind) return rewrite();
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      writeFileSync(file, text);
    } catch (error) {
      isBehind = true;
      // Half a line may be there, after which none could be read.
      ftruncateSync(file, bytes);
      throw error;
    }
    bytes += text.byteLength;
    if (bytes > compactAbove) rewrite();
  };
  const rewrite = () => {
    const lines: Line[] = [{ boots: contents.boots + 1 }];
    for (const job of jobs.values()) lines.push({ at: now(), job });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    if (file !== undefined) closeSync(file);
    file = openSync(path, "a");
    bytes = Buffer.byteLength(text);
    compactAbove = Math.max(COMPACT_ABOVE_BYTES, bytes * 2);
    isBehind = false;
  };
  rewrite();

  return {
    kept,
    boots: contents.boots,
    save(job) {
      const { input, ...changing } = job;
      const isNew = !jobs.has(job.id);
      jobs.set(job.id, job);
      write({ at: now(), job: isNew ? job : changing });
    },
    remove(job) {
      if (jobs.delete(job.id)) write({ removed: job.id });
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
};

const load = (path: string): Contents => {
  const contents: Contents = { boots: 0, at: Number.NEGATIVE_INFINITY, jobs: new Map() };
  const whole = existsSync(path) ? readFileSync(path, "utf8") : "";
  const texts = whole.split("\n");
  // The first line was there before the file had its name.
  if (whole !== "" && !isFirst(texts[0])) throw new Error(`${path}: not a simulator's state file`);
  // A process killed while it wrote leaves half a line, which nobody was told of.
  for (const [index, text] of texts.slice(0, -1).entries()) {
    const line = parse(text);
    if (!line) throw new Error(`${path}: line ${index + 1} is damaged`);
    if ("boots" in line) {
      contents.boots = line.boots;
    } else if ("removed" in line) {
      contents.jobs.delete(line.removed);
    } else {
      const { input } = contents.jobs.get(line.job.id) ?? {};
      // Fields that a change removed are absent from its line, so only the input is carried over.
      contents.jobs.set(line.job.id, { input, ...line.job } as Job);
      contents.at = line.at;
    }
  }
  return contents;
};

const isFirst = (text = ""): boolean => /^\{"boots":\d+\}$/.test(text);

const parse = (text: string): Line | undefined => {
  try {
    const line = JSON.parse(text);
    const isJob = isObject(line) && isObject(line.job) && typeof line.job.id === "string";
    return isJob || "boots" in line || "removed" in line ? line : undefined;
  } catch {
    return undefined;
  }
};

/** A faster or a virtual clock starts behind the one that wrote the file: its last moment becomes now. */
const shift = (jobs: Job[], byMs: number): void => {
  if (byMs === 0) return;
  for (const job of jobs) {
    const times: Partial<Record<(typeof JOB_TIMES)[number], number>> = {};
    for (const name of JOB_TIMES) {
      const time = job[name];
      if (time !== undefined) times[name] = time + byMs;
    }
    Object.assign(
      job,
      times,
      job.deliveries && {
        deliveries: job.deliveries.map((due) => ({ ...due, dueAt: due.dueAt + byMs })),
      },
    );
  }
};
