import type { Artifact } from "@podbase/client";
import { type JSX, useState } from "react";
import { spokenSize } from "../texts/durations.ts";
import { downloadHref } from "./download-href.ts";
import { PdfViewer } from "./pdf-viewer.tsx";
import { useSignedUrl } from "./use-signed-url.ts";

/** The PDF: links to open and keep it, and a viewer over the page where the browser has one. */
export function PdfPart({ artifact }: { artifact: Artifact | undefined }): JSX.Element {
  const { url, failure } = useSignedUrl(artifact);
  const [viewing, setViewing] = useState(false);

  if (failure) return <p className="message message-bad">{failure}</p>;
  if (!artifact || !url) return <p className="step-hint">Fetching the page…</p>;
  return (
    <>
      <p className="links">
        {navigator.pdfViewerEnabled && (
          <button type="button" className="link-button" onClick={() => setViewing(true)}>
            View here
          </button>
        )}
        <a data-testid="pdf-link" href={url} target="_blank" rel="noreferrer">
          Open<span className="visually-hidden"> the PDF in a new tab</span>
        </a>
        <a href={downloadHref(url, "reading.pdf")}>
          Download<span className="visually-hidden"> the PDF</span>
        </a>
        <span className="fine">{spokenSize(artifact.bytes)}</span>
      </p>
      {viewing && <PdfViewer artifact={artifact} onClose={() => setViewing(false)} />}
    </>
  );
}
