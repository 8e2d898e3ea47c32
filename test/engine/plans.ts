import fc from "fast-check";

/** One task of a plan, as `submit_job` takes it. */
export interface PlanTask {
  name: string;
  route: string;
  after: string[];
  optional: boolean;
  submitPolicy: "at_least_once" | "at_most_once";
  maxAttempts: number;
  artifacts: Record<string, string>;
  /** Runs once for each element of a list. */
  map?: { over: string; path: string[] };
}

/** The endpoints and routes of every run: two routes share an endpoint, one has somewhere else to go. */
export const CONFIG = {
  endpoints: {
    narrow: { providerId: "ep-narrow", maxInFlight: 2, ttlMs: 3_600_000, executionTimeoutMs: 600_000 },
    wide: { providerId: "ep-wide", maxInFlight: 50, ttlMs: 3_600_000, executionTimeoutMs: 600_000 },
    shut: { providerId: "ep-shut", enabled: false },
  },
  routes: { text: ["narrow"], image: ["narrow", "wide"], closed: ["shut"] },
};

/** In-flight caps by endpoint name. */
export const CAPS: Record<string, number> = { narrow: 2, wide: 50, shut: 100 };

const NAMES = ["a", "b", "c", "d"];

/**
 * Plans of one to four tasks; what a task comes after is a subset of the tasks declared before it. One in five is a map over
 * the list in the input (empty where `n` is 0), or over that in the output of a task before it (a map itself has none).
 */
export const plan: fc.Arbitrary<PlanTask[]> = fc
  .array(
    fc.record({
      route: fc.constantFrom("text", "image"),
      upstream: fc.nat(7),
      optional: fc.oneof(
        { weight: 4, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
      submitPolicy: fc.constantFrom("at_least_once" as const, "at_most_once" as const),
      maxAttempts: fc.constantFrom(1, 2, 3),
      artifact: fc.boolean(),
      list: fc.oneof(
        { weight: 4, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constantFrom("input" as const, "upstream" as const) },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((tasks) =>
    tasks.map(({ upstream, artifact, list, ...task }, index) => {
      const after = NAMES.slice(0, index).filter((_, bit) => upstream & (1 << bit));
      const over = list === "upstream" ? after[0] : list;
      return {
        ...task,
        name: NAMES[index] as string,
        after,
        artifacts: (artifact ? { file: "text/plain" } : {}) as Record<string, string>,
        ...(over ? { map: { over, path: ["list"] } } : {}),
      };
    }),
  );

/** A plan in a few letters: `a:text b<a:image?!file×2`, with ? for optional, ! for at_most_once, × for maxAttempts, []a for a map over a. */
export function describePlan(tasks: PlanTask[]): string {
  return tasks
    .map(
      (task) =>
        `${task.name}${task.after.length > 0 ? `<${task.after.join("")}` : ""}:${task.route}` +
        `${task.optional ? "?" : ""}${task.submitPolicy === "at_most_once" ? "!" : ""}` +
        `${task.artifacts.file ? "+file" : ""}×${task.maxAttempts}${task.map ? `[]${task.map.over}` : ""}`,
    )
    .join(" ");
}
