import type { Account } from "./account.ts";
import { RETENTION_MS, SCALE } from "./arena.ts";
import type { FaultName } from "./faults.ts";

/** What a run of the chaos command proves. */
export interface Certificate extends Account {
  /** Asked for. */
  jobs: number;
  /** Nothing lost, no effect twice, nothing paid twice, and every result saved long before RunPod forgets it. */
  guaranteeHeld: boolean;
  /** How often each class of faults struck. */
  faults: Partial<Record<FaultName, number>>;
  /** Makes the same schedule of faults again. */
  seed: string;
  /** Seconds of a real project in one second of the run. */
  scale: number;
  /** Calls of functions a job, and in the idle time after the last one. */
  functionCalls: { perJob: Record<string, number>; idle: number; idleSeconds: number };
  seconds: number;
}

/** Its figures without what explains them: the last line under `--json`. */
export function inShort(certificate: Certificate) {
  const { jobs, completed, failed, lost, duplicateEffects, paidTwice, maxStalenessS } = certificate;
  const { guaranteeHeld, faults } = certificate;
  return { jobs, completed, failed, lost, duplicateEffects, paidTwice, maxStalenessS, guaranteeHeld, faults };
}

/** The verdict over an account. */
export function isHeld({ lost, duplicateEffects, paidTwice, maxStalenessS }: Account): boolean {
  return lost + duplicateEffects + paidTwice === 0 && maxStalenessS * 1000 < RETENTION_MS;
}

/** The certificate for people, line by line. */
export function printCertificate(certificate: Certificate): string[] {
  const { faults, repeats, failures, functionCalls: calls, findings } = certificate;
  const list = (counts: Record<string, number | undefined>) =>
    Object.entries(counts)
      .filter(([, count]) => count)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none";
  const perJob = Object.entries(calls.perJob).map(([name, count]) => `${name} ${count.toFixed(2)}`);
  return [
    "",
    `  Chaos certificate, seed ${certificate.seed}, ${certificate.seconds} s; one second stands for ${SCALE}`,
    "",
    `  jobs               ${certificate.jobs}: ${certificate.completed} completed, ${certificate.failed} failed (${list(failures)})`,
    `  lost               ${certificate.lost}`,
    `  duplicate effects  ${certificate.duplicateEffects}`,
    `  paid twice         ${certificate.paidTwice}`,
    `  allowed repeats    ${list(repeats)}`,
    `  longest staleness  ${certificate.maxStalenessS} s of the ${RETENTION_MS / 1000} s that RunPod keeps a result`,
    `  faults             ${list(faults)}`,
    `  function calls     a job: ${perJob.join(", ")}; in ${calls.idleSeconds} idle seconds: ${calls.idle}`,
    "",
    ...findings.slice(0, 50).map((finding) => `  ${finding}`),
    ...(findings.length > 50 ? [`  … and ${findings.length - 50} more`] : []),
    certificate.guaranteeHeld ? "  The guarantee held." : "  THE GUARANTEE DID NOT HOLD.",
    "",
  ];
}
