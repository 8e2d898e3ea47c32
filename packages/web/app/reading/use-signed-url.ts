import type { Artifact } from "@podbase/client";
import { useCallback, useEffect, useState } from "react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

/** A signed URL and what became of fetching it. */
export interface SignedUrl {
  url: string | undefined;
  /** Why there is none, in a person's words. */
  failure: string | undefined;
  /** Fetches a fresh one: signed URLs run out. */
  renew: () => void;
}

/** Signed URL of an artifact, once there is one. */
export function useSignedUrl(artifact: Artifact | undefined): SignedUrl {
  const { podbase } = useStack();
  const [url, setUrl] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const [turn, setTurn] = useState(0);
  const path = artifact?.path;

  // The path stands for the artifact, which is a new object after every re-read of its job.
  useEffect(() => {
    if (!artifact) return;
    let current = true;
    podbase.artifacts.url(artifact).then(({ data, error }) => {
      if (!current) return;
      setUrl(data ?? undefined);
      setFailure(error ? requestErrorText(error) : undefined);
    });
    return () => {
      current = false;
    };
  }, [podbase, path, turn]);

  return { url, failure, renew: useCallback(() => setTurn((before) => before + 1), []) };
}
