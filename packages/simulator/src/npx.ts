const LOOK_EVERY_MS = 500;

/**
 * Calls back once, when the shell is gone through which npx runs a program. It dies of a SIGTERM that npx gets and
 * doesn't pass it on, so that the program would stay behind, port and all. Does nothing for a program that npx
 * didn't start: such a one may well outlive whoever started it.
 */
export const whenNpxIsGone = (run: () => void): void => {
  if (process.env.npm_lifecycle_event !== "npx") return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    run();
  }, LOOK_EVERY_MS).unref();
};
