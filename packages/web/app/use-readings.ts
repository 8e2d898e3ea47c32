import { useJobs } from "@podbase/client/react";
import { useState } from "react";
import type { ReadingList } from "./reading-job.ts";
import { useStack } from "./stack.ts";

const STEP = 30;
/** The most that the server gives in one answer. */
const MOST = 1_000;

/** The newest readings (and other jobs), and how to see older ones. */
export interface Shelf extends ReadingList {
  /** Asks for older ones too; missing if there are none. */
  onMore?: () => void;
}

/** The person's readings, kept current. While older ones are looked for, those that were shown stay. */
export function useReadings(): Shelf {
  const { podbase } = useStack();
  const [limit, setLimit] = useState(STEP);
  // Also of other kinds: other apps on the same project may have some of their own.
  const found: ReadingList = useJobs(podbase, { limit });
  const [shown, setShown] = useState(found);
  if (shown !== found && !found.loading) setShown(found);
  const readings = found.loading ? shown : found;
  const more = readings.jobs.length === limit && limit < MOST;
  return more ? { ...readings, onMore: () => setLimit(Math.min(MOST, limit + STEP)) } : readings;
}
