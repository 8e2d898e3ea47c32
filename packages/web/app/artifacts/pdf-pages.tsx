import {
  GlobalWorkerOptions,
  getDocument,
  type PDFDocumentProxy,
  TextLayer,
} from "pdfjs-dist/legacy/build/pdf.mjs";
import workerUrl from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?url";
import { type JSX, useEffect, useRef, useState } from "react";

GlobalWorkerOptions.workerSrc = workerUrl;

/** The pages of a PDF, drawn here: phones' browsers show none inside a page. Loaded only when one is looked at. */
export default function PdfPages({ file, onBroken }: { file: Blob; onBroken: () => void }): JSX.Element {
  const [pdf, setPdf] = useState<PDFDocumentProxy>();

  useEffect(() => {
    let current = true;
    const loading = file.arrayBuffer().then((data) => getDocument({ data, isEvalSupported: false }));
    loading
      .then((task) => task.promise)
      .then(
        (opened) => current && setPdf(opened),
        () => current && onBroken(),
      );
    return () => {
      current = false;
      void loading.then((task) => task.destroy());
    };
  }, [file, onBroken]);

  if (!pdf) return <p className="viewer-wait">Opening the pages…</p>;
  return (
    <ol className="pdf-pages" data-testid="pdf-pages">
      {Array.from({ length: pdf.numPages }, (_, at) => (
        <li key={at} aria-label={`Page ${at + 1} of ${pdf.numPages}`}>
          <PdfPage pdf={pdf} number={at + 1} onBroken={onBroken} />
        </li>
      ))}
    </ol>
  );
}

/** One page: its drawing, and over it its words, to be read aloud and copied. */
function PdfPage(props: { pdf: PDFDocumentProxy; number: number; onBroken: () => void }): JSX.Element {
  const { pdf, number, onBroken } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const words = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let stop = () => {};
    let current = true;
    const draw = async () => {
      const page = await pdf.getPage(number);
      if (!current || !canvas.current || !words.current) return;
      const width = canvas.current.parentElement?.clientWidth ?? 600;
      const viewport = page.getViewport({ scale: width / page.getViewport({ scale: 1 }).width });
      const sharpness = Math.min(3, window.devicePixelRatio || 1);
      Object.assign(canvas.current, {
        width: Math.round(viewport.width * sharpness),
        height: Math.round(viewport.height * sharpness),
      });
      words.current.replaceChildren();
      words.current.style.setProperty("--total-scale-factor", String(viewport.scale));
      const drawing = page.render({
        canvas: canvas.current,
        viewport,
        transform: [sharpness, 0, 0, sharpness, 0, 0],
      });
      stop = () => drawing.cancel();
      await drawing.promise;
      const layer = new TextLayer({
        textContentSource: await page.getTextContent(),
        container: words.current,
        viewport,
      });
      if (current) await layer.render();
    };
    draw().catch(() => current && onBroken());
    return () => {
      current = false;
      stop();
    };
  }, [pdf, number, onBroken]);

  return (
    <div className="pdf-page">
      <canvas ref={canvas} />
      <div ref={words} className="pdf-words" />
    </div>
  );
}
