import type { RequestBody, SubmitRequest } from "./contracts.ts";
import { type JobCatalog, planOf } from "./define-job.ts";
import { type Issue, PodbaseError } from "./errors.ts";
import { validate } from "./validate.ts";

/** Issues in one answer; who sent five hundred bad jobs learns nothing from the rest. */
const MAX_ISSUES = 100;

/** A request as `submit_job` takes it, its input validated. Throws `unknown_job_kind` or `invalid_input`. */
export async function toSubmission(
  jobs: JobCatalog,
  user: string,
  { kind, input, idempotencyKey }: RequestBody,
): Promise<SubmitRequest> {
  const job = Object.hasOwn(jobs, kind) ? jobs[kind] : undefined;
  if (!job) {
    const message = `There is no job kind "${kind}".`;
    throw new PodbaseError("unknown_job_kind", message, { issues: [{ path: ["kind"], message }] });
  }
  const parsed = await validate(job.input, input);
  if (parsed.issues) {
    throw new PodbaseError("invalid_input", "The input does not fit the job kind.", {
      issues: parsed.issues.map((issue) => ({ ...issue, path: ["input", ...issue.path] })),
    });
  }
  return {
    user,
    kind,
    input: parsed.value,
    plan: planOf(job),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

/**
 * The same for many at once, which are always made anew: `plan.reuse` is left out. Throws one `invalid_input` with what is
 * wrong anywhere, by paths such as `["jobs", 3, "input", "birthDate"]`.
 */
export async function toSubmissions(
  jobs: JobCatalog,
  user: string,
  bodies: RequestBody[],
): Promise<SubmitRequest[]> {
  const issues: Issue[] = [];
  const requests: SubmitRequest[] = [];
  for (const [at, body] of bodies.entries()) {
    try {
      const { plan, ...request } = await toSubmission(jobs, user, body);
      requests.push({ ...request, plan: { tasks: plan.tasks } });
    } catch (error) {
      if (!(error instanceof PodbaseError)) throw error;
      issues.push(...(error.issues ?? []).map((issue) => ({ ...issue, path: ["jobs", at, ...issue.path] })));
    }
  }
  if (issues.length === 0) return requests;
  throw new PodbaseError("invalid_input", "Some of the jobs are not as they should be; none was made.", {
    issues: issues.slice(0, MAX_ISSUES),
  });
}

/**
 * Adds to a refused idempotency key where it stands: the database tells the place of the first request that differs from
 * its key's job. `pathOf` leads to a body by its place.
 */
export function locateConflict(
  error: unknown,
  bodies: RequestBody[],
  pathOf: (at: number) => (string | number)[],
): unknown {
  if (!(error instanceof PodbaseError) || error.code !== "idempotency_conflict") return error;
  const { details: key, hint } = (error.cause ?? {}) as { details?: string; hint?: string };
  // One request alone has no place.
  const at = Number(hint || 0);
  if (key === undefined || bodies[at]?.idempotencyKey !== key) return error;
  return new PodbaseError(error.code, error.message, {
    issues: [{ path: [...pathOf(at), "idempotencyKey"], message: error.message }],
    cause: error.cause,
  });
}
