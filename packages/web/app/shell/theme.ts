import { useSyncExternalStore } from "react";

/** What the page looks like. */
export type Theme = "light" | "dark";

const key = "podbase-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const changed = new EventTarget();

/** The theme in force: what this person chose, else the system's. `public/theme.js` applies it before the page paints. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, current);
}

/** Chooses a theme for this browser. */
export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
  changed.dispatchEvent(new Event("change"));
}

function current(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

function subscribe(notify: () => void): () => void {
  changed.addEventListener("change", notify);
  system.addEventListener("change", notify);
  return () => {
    changed.removeEventListener("change", notify);
    system.removeEventListener("change", notify);
  };
}
