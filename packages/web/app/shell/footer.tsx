import type { JSX } from "react";

/** What this page is, for those who wonder. */
export function Footer(): JSX.Element {
  return (
    <footer className="footer">
      <p>
        A demo of <strong>Podbase</strong>: every reading is a job with three tasks on GPUs that wake when
        they are needed. Readings are made up by a machine, for your amusement.
      </p>
    </footer>
  );
}
