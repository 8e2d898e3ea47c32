import type { Job } from "./types.ts";

/** So many ends are remembered, the latest ones. */
const MOST = 10_000;

/** Which ends of jobs were told: true the first time, false when one is told again. */
export const createToldEnds = (): ((job: Job) => boolean) => {
  const versions = new Map<string, number>();
  return ({ id, version }) => {
    if (versions.get(id) === version) return false;
    versions.delete(id);
    versions.set(id, version);
    for (const oldest of versions.keys()) {
      if (versions.size <= MOST) break;
      versions.delete(oldest);
    }
    return true;
  };
};
