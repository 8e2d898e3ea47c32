/** Ends cleanly on the first Ctrl-C (exit code 130) or SIGTERM (0); a second one ends at once. */
export function onSignal(stop: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(signal === "SIGINT" ? 130 : 0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}
