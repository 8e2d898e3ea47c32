import { type JSX, useEffect, useState } from "react";
import { App } from "./app.tsx";
import { DeadEnd } from "./shell/dead-end.tsx";
import { connectStack, type Stack, StackProvider } from "./stack.ts";

/** How often the stack is looked for while it is out of reach; also when the network is back or the page is shown. */
const RETRY_MS = 2_000;

/** Finds the stack, then shows the app. */
export function Boot(): JSX.Element {
  const [stack, setStack] = useState<Stack>();
  const [failure, setFailure] = useState<string>();
  const [attempt, setAttempt] = useState(1);

  useEffect(() => {
    let current = true;
    connectStack().then(
      (found) => current && setStack(found),
      (error: Error) => current && setFailure(error.message),
    );
    return () => {
      current = false;
    };
  }, [attempt]);

  const lost = failure !== undefined && stack === undefined;
  useEffect(() => {
    if (!lost) return;
    const again = () => setAttempt((before) => before + 1);
    const timer = setInterval(again, RETRY_MS);
    window.addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
    };
  }, [lost]);

  if (stack) {
    return (
      <StackProvider value={stack}>
        <App />
      </StackProvider>
    );
  }
  if (failure === undefined) return <main className="boot" aria-busy="true" />;
  const tryAgain = () => {
    setFailure(undefined);
    setAttempt(attempt + 1);
  };
  return (
    <DeadEnd title="The stars are out of reach" action="Try again" onAction={tryAgain} detail={failure}>
      This page couldn't find the server it belongs to. It may still be starting.
    </DeadEnd>
  );
}
