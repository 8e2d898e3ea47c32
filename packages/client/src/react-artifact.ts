import { useEffect, useRef, useState } from "react";
import type { UrlOptions } from "./artifacts.ts";
import type { PodbaseError } from "./errors.ts";
import type { Podbase } from "./podbase.ts";
import type { Artifact, JobCatalog } from "./types.ts";

/** What {@link useArtifactUrl} returns. */
export interface UseArtifactUrl {
  /** Undefined until it is signed, and while there is no artifact. */
  url: string | undefined;
  error: PodbaseError | null;
}

const HOUR_S = 3_600;

/** An artifact's address that stays good: signed when there is an artifact, and anew before it runs out. */
export const useArtifactUrl = <Jobs extends JobCatalog>(
  podbase: Podbase<Jobs>,
  artifact: Artifact | undefined,
  { expiresInS = HOUR_S, download = false }: UrlOptions = {},
): UseArtifactUrl => {
  const [state, setState] = useState<UseArtifactUrl>({ url: undefined, error: null });
  const latest = useRef(artifact);
  latest.current = artifact;
  const path = artifact?.path;

  // The path stands for the artifact, which is a new object after every reading of its job.
  useEffect(() => {
    if (path === undefined) return;
    let current = true;
    const sign = async () => {
      if (!latest.current) return;
      const { data, error } = await podbase.artifacts.url(latest.current, { expiresInS, download });
      if (current) setState(data === null ? { url: undefined, error } : { url: data, error: null });
    };
    void sign();
    const timer = setInterval(sign, expiresInS * 900);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [podbase, path, expiresInS, download]);
  return state;
};
