import type { Artifact } from "@podbase/client";
import { type JSX, useEffect, useId, useRef, useState } from "react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

/**
 * The PDF in the browser's viewer, in a dialog over the page. Shown from memory: storage may send the file with
 * headers that forbid framing.
 */
export function PdfViewer({ artifact, onClose }: { artifact: Artifact; onClose: () => void }): JSX.Element {
  const { podbase } = useStack();
  const title = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [source, setSource] = useState<string>();
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  useEffect(() => {
    let current = true;
    let made: string | undefined;
    podbase.artifacts.download(artifact).then(({ data, error }) => {
      if (!current) return;
      if (error) return setFailure(requestErrorText(error));
      made = URL.createObjectURL(new Blob([data], { type: "application/pdf" }));
      setSource(made);
    });
    return () => {
      current = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [podbase, artifact]);

  return (
    <dialog ref={dialog} className="viewer" aria-labelledby={title} onClose={onClose}>
      <div className="viewer-head">
        <h2 id={title}>Your reading on a page</h2>
        <button type="button" className="button button-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      {failure && <p className="message message-bad">{failure}</p>}
      {source ? <iframe title="Your reading as a PDF" src={source} /> : !failure && <p>Fetching the page…</p>}
    </dialog>
  );
}
