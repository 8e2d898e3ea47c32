import type { Artifact } from "@podbase/client";
import { useArtifactUrl } from "@podbase/client/react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

/** Where an artifact can be fetched, once that is known. */
export interface Address {
  url: string | undefined;
  /** Why it can't be had, in a person's words; not for what is only a wait. */
  failure: string | undefined;
  /** For `onError`: the address did not work. */
  renew: () => void;
}

/** An artifact's address that stays good for as long as the page shows it. */
export function useAddress(artifact: Artifact | undefined): Address {
  const { url, error, renew } = useArtifactUrl(useStack().podbase, artifact);
  const lost = error !== null && !error.retryable && url === undefined;
  return { url, failure: lost ? requestErrorText(error) : undefined, renew };
}
