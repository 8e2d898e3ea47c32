/**
 * Calls a listener of the app. What it throws is the app's mistake: it surfaces as an uncaught error, as with DOM
 * events, and neither stops the other listeners nor the client's own work.
 */
export const callListener = <A extends unknown[]>(listener: (...args: A) => void, ...args: A): void => {
  try {
    listener(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
};
