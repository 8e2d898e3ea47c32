import { type RefObject, useEffect, useRef } from "react";

/**
 * Opens a dialog over the page for as long as it is there. When it goes, the focus is back where it came from, also if React
 * takes the dialog away before the browser has closed it.
 */
export function useDialog(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opened = dialog.current;
    const before = document.activeElement;
    if (!opened?.open) opened?.showModal();
    return () => {
      opened?.close();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return dialog;
}
