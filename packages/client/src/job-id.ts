import { PodbaseError } from "./errors.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The error for what can't be the id of a job, null for what can. Asked for among others it would fail the reading of all. */
export const notAnId = (id: string): PodbaseError | null =>
  UUID.test(id) ? null : new PodbaseError("job_not_found", `${id} is not the id of a job`);
