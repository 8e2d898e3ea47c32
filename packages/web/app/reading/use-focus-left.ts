import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For a button that goes away once it has done its work: if it had the focus, the page's heading gets it, so that a keyboard
 * or a screen reader is not thrown back to the top of the page without a word.
 */
export function useFocusLeft(): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const mine = button.current;
    return () => {
      if (mine !== null && mine === document.activeElement) {
        document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
      }
    };
  }, []);
  return button;
}
