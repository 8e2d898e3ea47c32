import { type JSX, useSyncExternalStore } from "react";
import type { Connection } from "../reading-job.ts";

const words: Record<Connection | "offline", string> = {
  live: "live",
  connecting: "connecting",
  polling: "looking every few seconds",
  offline: "offline, will catch up",
};

/** A quiet word on how news arrives. Never alarming: the reading goes on without this page. */
export function ConnectionMark({ connection }: { connection: Connection }): JSX.Element {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  // Where news flow, a browser that takes itself for offline is wrong: it sees no network but its own machine.
  const state = online || connection === "live" ? connection : "offline";
  return (
    <span className={`connection connection-${state}`} data-testid="connection" data-connection={state}>
      {words[state]}
    </span>
  );
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}
