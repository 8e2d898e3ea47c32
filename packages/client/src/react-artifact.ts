import { useCallback, useEffect, useRef, useState } from "react";
import type { UrlOptions } from "./artifacts.ts";
import type { PodbaseError } from "./errors.ts";
import type { Podbase } from "./podbase.ts";
import type { Artifact, JobCatalog } from "./types.ts";

/** What {@link useArtifactUrl} returns. */
export interface UseArtifactUrl {
  /** Undefined until it is signed, and while there is no artifact. */
  url: string | undefined;
  /** Why there is none. One that is `retryable` is tried again by itself. */
  error: PodbaseError | null;
  /** For `onError` of what shows it: signs it anew. Does nothing within half a minute of the last time, so that a file that is broken itself is not fetched for ever. */
  renew(): void;
}

type Signed = Omit<UseArtifactUrl, "renew">;

const NONE: Signed = { url: undefined, error: null };
const HOUR_S = 3_600;
const RETRY_MS = 5_000;
const RENEW_MS = 30_000;
/** Browsers take a timer of 25 days for one of none. */
const LONGEST_MS = 86_400_000;

/**
 * An artifact's address that stays good: signed when there is an artifact, and anew before it runs out, also after a sleep
 * in which it did. What could not be signed for now is tried again every 5 s and when the app wakes.
 */
export const useArtifactUrl = <Jobs extends JobCatalog>(
  podbase: Podbase<Jobs>,
  artifact: Artifact | undefined,
  { expiresInS = HOUR_S, download = false }: Omit<UrlOptions, "renew"> = {},
): UseArtifactUrl => {
  const [{ of, ...known }, setKnown] = useState<Signed & { of: string | undefined }>({
    of: undefined,
    ...NONE,
  });
  const latest = useRef(artifact);
  latest.current = artifact;
  const path = artifact?.path;
  const renewal = useRef({ at: Number.NEGATIVE_INFINITY, sign: (_anew: boolean) => {} });

  // The path stands for the artifact, which is a new object after every reading of its job.
  useEffect(() => {
    setKnown({ of: path, ...NONE });
    if (path === undefined) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout>;
    /** The address did not work, and there is no other yet. */
    let renew = false;
    const sign = async (anew: boolean) => {
      if (!latest.current) return;
      clearTimeout(timer);
      renew ||= anew;
      const { data, error } = await podbase.artifacts.url(latest.current, { expiresInS, download, renew });
      if (!current) return;
      if (!error) renew = false;
      // An address that still works is not given up because the next could not be signed.
      setKnown((before) => (error ? { ...before, error } : { of: path, url: data, error: null }));
      clearTimeout(timer);
      if (error && !error.retryable) return;
      timer = setTimeout(() => sign(false), error ? RETRY_MS : Math.min(expiresInS * 900, LONGEST_MS));
    };
    renewal.current = { at: Number.NEGATIVE_INFINITY, sign };
    void sign(false);
    const waking = podbase.onWake(() => void sign(false));
    return () => {
      current = false;
      clearTimeout(timer);
      waking.unsubscribe();
    };
  }, [podbase, path, expiresInS, download]);

  const renew = useCallback(() => {
    if (Date.now() - renewal.current.at < RENEW_MS) return;
    renewal.current.at = Date.now();
    renewal.current.sign(true);
  }, []);
  // Never another artifact's.
  return { ...(of === path ? known : NONE), renew };
};
