import type { Fault, Random, Simulator } from "@podbase/simulator";

/** A fault of RunPod with how likely it strikes where it could. */
type Chance = { chance: number; fault: Fault };

/** Called with each strike. */
type Count = () => void;

/** What RunPod does wrong, by the name of the fault class. */
export const PROVIDER_FAULTS = {
  "webhooks-lost": [{ chance: 1, fault: { fault: "webhook_drop" } }],
  "webhooks-doubled": [{ chance: 1, fault: { fault: "webhook_duplicate", afterMs: 300 } }],
  "webhooks-late": [
    { chance: 0.5, fault: { fault: "webhook_delay", delayMs: [500, 8000] } },
    { chance: 0.5, fault: { fault: "webhook_reorder", afterMs: 3000 } },
  ],
  "run-no-answer": [
    { chance: 0.3, fault: { fault: "run_reset" } },
    { chance: 0.2, fault: { fault: "answer", operation: "run", status: 500, applied: true } },
    { chance: 0.02, fault: { fault: "run_unanswered" } },
  ],
  "provider-errors": [
    { chance: 0.2, fault: { fault: "answer", status: 500 } },
    { chance: 0.1, fault: { fault: "answer", status: 502, applied: true } },
    { chance: 0.1, fault: { fault: "reset" } },
    { chance: 0.1, fault: { fault: "status_regress", afterMs: 0, forMs: 1000 } },
    { chance: 0.2, fault: { fault: "other_state" } },
  ],
  "provider-429": [{ chance: 0.8, fault: { fault: "answer", status: 429, headers: { "retry-after": "1" } } }],
  "provider-outage": [
    { chance: 0.5, fault: { fault: "reset" } },
    { chance: 1, fault: { fault: "answer", status: 503 } },
  ],
  "worker-lost": [
    { chance: 0.3, fault: { fault: "worker_crash", afterMs: [0, 150] } },
    { chance: 0.05, fault: { fault: "job_lose" } },
  ],
  "clock-skew": [
    { chance: 0.5, fault: { fault: "clock_skew", skewMs: 3_600_000 } },
    { chance: 0.5, fault: { fault: "clock_skew", skewMs: -3_600_000 } },
  ],
} satisfies Record<string, Chance[]>;

/** Puts a class of faults in force at RunPod. Gives how to lift it. */
export function injectAll(
  simulator: Simulator,
  name: keyof typeof PROVIDER_FAULTS,
  random: Random,
  count: Count,
): () => void {
  const lifts = PROVIDER_FAULTS[name].map(({ chance, fault }: Chance) =>
    simulator.inject({
      ...fault,
      // Chance is drawn here and not by the twin, so that every strike is counted under the name of its class.
      when: () => {
        const strikes = random.next() < chance;
        if (strikes) count();
        return strikes;
      },
    }),
  );
  return () => {
    for (const lift of lifts) lift();
  };
}
