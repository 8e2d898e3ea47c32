import type { Artifact } from "@podbase/client";
import {
  type ComponentType,
  type JSX,
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { useDialog } from "../shell/use-dialog.ts";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

// What draws them may be gone, after a new version of the page was put in place.
const PdfPages = lazy<ComponentType<{ file: Blob; onBroken: () => void }>>(() =>
  import("./pdf-pages.tsx").catch(() => ({ default: NoPages })),
);

/** A file that can't be fetched for now is tried again this often, and when the network is back. */
const RETRY_MS = 5_000;
const BROKEN = "These pages can't be shown here. Opening or downloading the PDF may work.";

/** A PDF's pages in a dialog over the page. */
export function PdfViewer(props: { artifact: Artifact; title: string; onClose: () => void }): JSX.Element {
  const { artifact, title, onClose } = props;
  const { podbase } = useStack();
  const titleId = useId();
  const dialog = useDialog();
  const [file, setFile] = useState<Blob>();
  const [failure, setFailure] = useState<string>();
  const broken = useCallback(() => setFailure(BROKEN), []);
  const latest = useRef(artifact);
  latest.current = artifact;

  // The path stands for the artifact, which is a new object after every reading of its job.
  useEffect(() => {
    let current = true;
    let tries = 0;
    let timer: ReturnType<typeof setTimeout>;
    const end = () => {
      current = false;
      clearTimeout(timer);
      waking.unsubscribe();
    };
    const fetchFile = async () => {
      clearTimeout(timer);
      const mine = ++tries;
      const { data, error } = await podbase.artifacts.download(latest.current);
      if (!current || mine !== tries) return;
      if (error?.retryable) {
        timer = setTimeout(fetchFile, RETRY_MS);
        return;
      }
      end();
      if (error) setFailure(requestErrorText(error));
      else setFile(data);
    };
    const waking = podbase.onWake(() => void fetchFile());
    void fetchFile();
    return end;
  }, [podbase, artifact.path]);

  return (
    <dialog ref={dialog} className="viewer" aria-labelledby={titleId} onClose={onClose}>
      <div className="viewer-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="button button-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must get to it */}
      <section className="viewer-body" tabIndex={0} aria-label="Pages">
        {failure && (
          <p className="message message-bad" role="alert">
            {failure}
          </p>
        )}
        {!failure && (
          <Suspense fallback={<p className="viewer-wait">Opening the pages…</p>}>
            {file ? (
              <PdfPages file={file} onBroken={broken} />
            ) : (
              <p className="viewer-wait">Fetching the pages…</p>
            )}
          </Suspense>
        )}
      </section>
    </dialog>
  );
}

/** Stands for the pages where what draws them could not be fetched. */
function NoPages({ onBroken }: { onBroken: () => void }): null {
  useEffect(onBroken, [onBroken]);
  return null;
}
