import type { JSX } from "react";
import { chooseTheme, useTheme } from "./theme.ts";

/** Button between the light and the dark theme. */
export function ThemeToggle(): JSX.Element {
  const other = useTheme() === "dark" ? "light" : "dark";
  const label = `Switch to the ${other} theme`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(other)}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {other === "dark" ? (
          <path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z" />
        ) : (
          <path d="M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
        )}
      </svg>
    </button>
  );
}
