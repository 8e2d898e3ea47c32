/** Whether the page is in a hidden tab; false where there are no pages. */
export const isHidden = (): boolean =>
  typeof document !== "undefined" && document.visibilityState === "hidden";

/**
 * Calls back whenever the page may have slept through messages: shown again, back online, restored from the
 * back/forward cache. Never calls where there are no such events (Node, Deno, React Native: use `podbase.resync`).
 */
export const onWake = (callback: () => void): (() => void) => {
  const onVisibility = () => {
    if (!isHidden()) callback();
  };
  const listening: [EventTarget, string, () => void][] = [];
  if (typeof document !== "undefined" && typeof document.addEventListener === "function") {
    listening.push([document, "visibilitychange", onVisibility]);
  }
  if (typeof window !== "undefined" && typeof window.addEventListener === "function") {
    listening.push([window, "online", callback], [window, "pageshow", callback]);
  }
  for (const [target, event, listener] of listening) target.addEventListener(event, listener);
  return () => {
    for (const [target, event, listener] of listening) target.removeEventListener(event, listener);
  };
};
