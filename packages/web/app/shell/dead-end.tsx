import type { JSX, ReactNode } from "react";
import { Moon } from "../moon/moon.tsx";

/** A page in place of the page: what happened, the one thing to do about it, and what the machine said. */
export function DeadEnd(props: {
  title: string;
  children: ReactNode;
  action: string;
  onAction: () => void;
  detail: string;
}): JSX.Element {
  const { title, children, action, onAction, detail } = props;
  return (
    <main className="boot">
      <div className="boot-moon">
        <Moon lit={0.12} mood="rest" />
      </div>
      <h1>{title}</h1>
      <p>{children}</p>
      <button type="button" className="button button-strong" onClick={onAction}>
        {action}
      </button>
      <p className="fine">{detail}</p>
    </main>
  );
}
