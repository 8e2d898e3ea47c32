/** How the client learns that the app sleeps and wakes. Browsers have one built in; for React Native see its adapter. */
export interface Lifecycle {
  /** Whether nobody can see the app at this moment. */
  isHidden(): boolean;
  /** Calls back whenever the app may have slept through messages; returns a function that ends that. */
  onWake(callback: () => void): () => void;
}

/**
 * The page's own: shown again, back online, restored from the back/forward cache. Where there are no such events (Node,
 * Deno, React Native without the adapter) it never calls and is never hidden.
 */
export const browserLifecycle: Lifecycle = {
  isHidden: () => typeof document !== "undefined" && document.visibilityState === "hidden",
  onWake(callback) {
    const onVisibility = () => {
      if (!browserLifecycle.isHidden()) callback();
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
  },
};
