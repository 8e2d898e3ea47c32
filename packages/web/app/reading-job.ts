import type { InputOf, Job } from "@podbase/client";
import type { useJob, useJobs } from "@podbase/client/react";
// Types only: the definition and its validators stay on the server.
import type { jobs, reading } from "../../../supabase/functions/_shared/jobs.ts";

/** The job kinds that this app knows. */
export type Jobs = typeof jobs;

/** A reading, as a job. */
export type ReadingJob = Job<typeof reading>;

/** What a reading is asked for with. */
export type ReadingInput = InputOf<typeof reading>;

/** Names of a reading's tasks. */
export type TaskName = keyof ReadingJob["tasks"];

/** How news of a job reaches this page. */
export type Connection = ReturnType<typeof useJob>["connection"];

/** The person's jobs, as `useJobs` gives them. */
export type ReadingList = ReturnType<typeof useJobs>;
