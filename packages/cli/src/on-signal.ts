import { whenNpxIsGone } from "@podbase/simulator/npx";

/**
 * Ends cleanly on the first Ctrl-C (exit code 130) or SIGTERM (`terminated`, also when npx got it); a second one ends at once.
 * What it gives tells whether that has begun.
 */
export function onSignal(stop: () => Promise<void>, terminated = 0): () => boolean {
  let begun = false;
  const end = (code: number) => {
    begun = true;
    stop().then(
      () => process.exit(code),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once("SIGINT", () => end(130));
  process.once("SIGTERM", () => end(terminated));
  whenNpxIsGone(() => {
    if (!begun) end(terminated);
  });
  return () => begun;
}

/** The exit code of a measurement that SIGTERM broke off: unlike a stack, it has not done what it was started for. */
export const BROKEN_OFF = 143;
