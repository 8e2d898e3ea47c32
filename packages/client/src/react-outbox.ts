import { useEffect, useState } from "react";
import type { QueuedRequest } from "./outbox-store.ts";
import type { Podbase } from "./podbase.ts";
import type { JobCatalog } from "./types.ts";

/** The signed-in user's requests that wait for the network, oldest first. Starts the outbox, so that they are sent. */
export const useOutbox = <Jobs extends JobCatalog>(podbase: Podbase<Jobs>): QueuedRequest[] => {
  const [requests, setRequests] = useState<QueuedRequest[]>([]);
  useEffect(() => {
    let current = true;
    const { unsubscribe } = podbase.outbox.onChange(setRequests);
    // A storage that can't be read has nothing to show; `start` reads it too and reports that as a problem.
    podbase.outbox.list().then(
      (found) => current && setRequests(found),
      () => {},
    );
    podbase.outbox.start();
    return () => {
      current = false;
      unsubscribe();
    };
  }, [podbase]);
  return requests;
};
