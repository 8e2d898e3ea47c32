/**
 * Ends cleanly on the first Ctrl-C (exit code 130) or SIGTERM (`terminated`); a second one ends at once. What it gives tells
 * whether that has begun.
 */
export function onSignal(stop: () => Promise<void>, terminated = 0): () => boolean {
  let begun = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      begun = true;
      stop().then(
        () => process.exit(signal === "SIGINT" ? 130 : terminated),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
  return () => begun;
}

/** The exit code of a measurement that SIGTERM broke off: unlike a stack, it has not done what it was started for. */
export const BROKEN_OFF = 143;
