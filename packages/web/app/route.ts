import { useSyncExternalStore } from "react";

/** A place in the app. It lives in the URL's hash, so a reload or a shared bookmark leads back to it. */
export type Route = { page: "home" } | { page: "reading"; id: string };

/** Link to the page with the form and the earlier readings. */
export const homeHref = "#/";

/** Link to one reading. */
export function readingHref(id: string): string {
  return `#/readings/${encodeURIComponent(id)}`;
}

/** Goes to a link made by `homeHref` or `readingHref`. */
export function go(href: string): void {
  window.location.hash = href;
}

/** The place that the URL names now; anything unknown is home. */
export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  const id = /^#\/readings\/([\w-]+)$/.exec(hash)?.[1];
  return id ? { page: "reading", id } : { page: "home" };
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
