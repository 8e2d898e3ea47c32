import type { Span } from "@podbase/simulator";
import type { PROVIDER_FAULTS } from "./provider-faults.ts";
import type { STACK_FAULTS } from "./stack-faults.ts";

/** The name of a class of faults. */
export type FaultName = keyof typeof PROVIDER_FAULTS | keyof typeof STACK_FAULTS;

/** When a class of faults strikes. Times in ms. */
export interface FaultClass {
  /** What happens, for people. */
  about: string;
  /** Alone it is in force from the first request until all jobs have ended. */
  lasting: boolean;
  /** From the end of one hit to the next one. */
  everyMs: Span;
  /** How long a hit lasts, where it doesn't end at once; at most a quarter of the storm. */
  forMs: Span;
}

/** Every class of faults. */
export const FAULTS: Record<FaultName, FaultClass> = {
  "webhooks-lost": {
    about: "no webhook arrives",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 5000],
  },
  "webhooks-doubled": {
    about: "every webhook arrives twice",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 5000],
  },
  "webhooks-late": {
    about: "webhooks arrive late and out of order",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 5000],
  },
  "run-no-answer": {
    about: "RunPod takes a job and its answer is lost",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 3000],
  },
  "provider-errors": {
    about: "RunPod answers 5xx, resets connections and tells states that are not true",
    lasting: false,
    everyMs: [2000, 10_000],
    forMs: [1000, 5000],
  },
  "provider-429": {
    about: "RunPod answers 429 with Retry-After",
    lasting: false,
    everyMs: [4000, 15_000],
    forMs: [1000, 5000],
  },
  "provider-outage": {
    about: "RunPod is away, for as long as ten minutes at the run's scale",
    lasting: false,
    everyMs: [30_000, 90_000],
    forMs: [10_000, 30_000],
  },
  "worker-lost": {
    about: "workers die at work and never report",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 3000],
  },
  "clock-skew": {
    about: "workers' clocks are an hour ahead or behind",
    lasting: true,
    everyMs: [2000, 10_000],
    forMs: [1000, 5000],
  },
  "functions-killed": {
    about: "the process of a function is killed at whatever it does",
    lasting: false,
    everyMs: [500, 4000],
    forMs: 0,
  },
  "database-restarted": {
    about: "Postgres is killed and starts again",
    lasting: false,
    everyMs: [8000, 30_000],
    forMs: 0,
  },
  "gateway-cut": {
    about: "every connection to the project breaks, functions' own calls included",
    lasting: false,
    everyMs: [5000, 20_000],
    forMs: [200, 2500],
  },
  "cron-stopped": {
    about: "cron runs nothing, for as long as 25 minutes at the run's scale",
    lasting: false,
    everyMs: [20_000, 60_000],
    forMs: [5000, 75_000],
  },
  "cron-doubled": {
    about: "cron runs everything twice, and reconcile is called by others too",
    lasting: false,
    everyMs: [5000, 20_000],
    forMs: [2000, 10_000],
  },
  "storage-full": {
    about: "Storage refuses uploads",
    lasting: false,
    everyMs: [8000, 20_000],
    forMs: [500, 4000],
  },
};

/** All names, in the order of `--help`. */
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
