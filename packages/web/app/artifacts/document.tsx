import type { Artifact } from "@podbase/client";
import { type JSX, useState } from "react";
import { spokenSize } from "../texts/durations.ts";
import { downloadHref } from "./download-href.ts";
import { PdfViewer } from "./pdf-viewer.tsx";
import { useAddress } from "./use-address.ts";

/** A PDF: a viewer over the page, and links to open and keep it. */
export function PdfDocument(props: { artifact: Artifact; title: string; fileName: string }): JSX.Element {
  const { artifact, title, fileName } = props;
  const { url, failure } = useAddress(artifact);
  const [viewing, setViewing] = useState(false);

  if (failure) return <p className="message message-bad">{failure}</p>;
  if (!url) return <p className="step-hint">Fetching the page…</p>;
  return (
    <>
      <p className="links">
        <button
          type="button"
          className="link-button"
          data-testid="pdf-view"
          aria-haspopup="dialog"
          onClick={() => setViewing(true)}
        >
          View here
        </button>
        <a data-testid="pdf-link" href={url} target="_blank" rel="noreferrer">
          Open<span className="visually-hidden"> the PDF in a new tab</span>
        </a>
        <a href={downloadHref(url, fileName)}>
          Download<span className="visually-hidden"> the PDF</span>
        </a>
        <span className="fine">{spokenSize(artifact.bytes)}</span>
      </p>
      {viewing && <PdfViewer artifact={artifact} title={title} onClose={() => setViewing(false)} />}
    </>
  );
}
