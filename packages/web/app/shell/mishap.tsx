import { Component, type ReactNode } from "react";
import { DeadEnd } from "./dead-end.tsx";

/** Stands in for a page that broke while it was drawn, which React would take away without a word. */
export class Mishap extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <DeadEnd
        title="This page lost its thread"
        action="Load it again"
        onAction={() => location.reload()}
        detail={error.message}
      >
        Your readings are safe: they are made and kept elsewhere.
      </DeadEnd>
    );
  }
}
