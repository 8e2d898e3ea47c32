/**
 * A span of time as people say it: `8 s`, `2 min 05 s`, `1 h 03 min`. Never negative: a server's clock may run a
 * little ahead of this one.
 *
 * @param ms milliseconds
 */
export function spokenDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A span that is over, as people say it: like {@link spokenDuration}, but never `0 s`. */
export function spokenSpan(ms: number): string {
  return ms < 1000 ? "less than 1 s" : spokenDuration(ms);
}

/**
 * How long until `eta`, loosely, since it is an estimate: `any moment now`, `in about 20 s`, `in about 3 min`.
 * Empty if there is no usable estimate.
 *
 * @param eta ISO time
 * @param now milliseconds since the epoch
 */
function spokenEta(eta: string | null | undefined, now: number): string {
  const ms = eta ? Date.parse(eta) - now : Number.NaN;
  if (Number.isNaN(ms)) return "";
  if (ms < 5_000) return "any moment now";
  if (ms < 55_000) return `in about ${Math.ceil(ms / 10_000) * 10} s`;
  return `in about ${Math.ceil(ms / 60_000)} min`;
}

/**
 * When something may be done, as a band: `Likely in about 20 s, in about 3 min at the latest.` Empty if nothing is known.
 *
 * @param now milliseconds since the epoch
 */
export function spokenEstimate(
  estimate: { likely: string | null; latest: string | null } | null,
  now: number,
): string {
  const likely = spokenEta(estimate?.likely, now);
  const latest = spokenEta(estimate?.latest, now);
  if (!likely) return "";
  // The slowest tenth is under way: a time would only be wrong again.
  if (latest === "any moment now") return "";
  return likely === latest ? `Likely ${likely}.` : `Likely ${likely}, ${latest} at the latest.`;
}

const sizes = ["bytes", "kB", "MB", "GB"];

/** A file's size with at most one decimal: `812 bytes`, `14.2 kB`, `1.1 MB`. */
export function spokenSize(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : Number(value.toFixed(1))} ${sizes[power]}`;
}
