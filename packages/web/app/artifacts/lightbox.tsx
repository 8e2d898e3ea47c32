import { type JSX, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useDialog } from "../shell/use-dialog.ts";
import { spokenSize } from "../texts/durations.ts";
import { downloadHref } from "./download-href.ts";
import type { Plate } from "./gallery.tsx";
import { Picture } from "./picture.tsx";
import { useAddress } from "./use-address.ts";

/** A finger that moved this far aside has swiped, in CSS pixels. */
const SWIPE_PX = 48;

/**
 * Pictures large, one at a time, over the page: arrow keys, Home, End and swipes go through them, Escape closes. The focus goes
 * back to where it came from.
 */
export function Lightbox(props: { plates: Plate[]; first: number; onClose: () => void }): JSX.Element {
  const { plates, first, onClose } = props;
  const dialog = useDialog();
  const [at, setAt] = useState(first);
  const swipe = useRef<number>(undefined);
  const plate = plates[Math.min(at, plates.length - 1)] as Plate;
  const { url } = useAddress(plate.artifact);
  const many = plates.length > 1;
  const go = (to: number) => setAt((to + plates.length) % plates.length);

  const keys: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    Home: 0,
    End: plates.length - 1,
  };
  const onKey = (event: KeyboardEvent) => {
    const to = keys[event.key];
    if (to === undefined || !many) return;
    event.preventDefault();
    go(to);
  };
  const onLift = (event: PointerEvent) => {
    const moved = event.clientX - (swipe.current ?? event.clientX);
    swipe.current = undefined;
    if (many && Math.abs(moved) > SWIPE_PX) go(moved < 0 ? at + 1 : at - 1);
  };

  return (
    <dialog
      ref={dialog}
      className="lightbox"
      aria-label={many ? "Pictures" : "Picture"}
      onClose={onClose}
      onKeyDown={onKey}
    >
      <div
        className="lightbox-picture"
        onPointerDown={(event) => {
          swipe.current = event.clientX;
        }}
        onPointerUp={onLift}
      >
        <Picture key={plate.artifact.path} artifact={plate.artifact} alt={plate.alt} fit="contain" />
      </div>
      <div className="lightbox-foot">
        <p aria-live="polite" data-testid="lightbox-caption">
          {plate.alt}
        </p>
        <div className="lightbox-tools">
          {many && (
            <>
              <button
                type="button"
                className="icon-button"
                aria-label="Previous picture"
                onClick={() => go(at - 1)}
              >
                <Chevron d="M15 5 8 12l7 7" />
              </button>
              <span className="lightbox-place" aria-hidden="true">
                {at + 1} / {plates.length}
              </span>
              <button
                type="button"
                className="icon-button"
                aria-label="Next picture"
                onClick={() => go(at + 1)}
              >
                <Chevron d="m9 5 7 7-7 7" />
              </button>
            </>
          )}
          {url && (
            <a href={downloadHref(url, plate.artifact.name)}>
              Download <span className="fine">{spokenSize(plate.artifact.bytes)}</span>
            </a>
          )}
        </div>
      </div>
      <button
        type="button"
        className="button button-quiet lightbox-close"
        onClick={() => dialog.current?.close()}
      >
        Close
      </button>
    </dialog>
  );
}

function Chevron({ d }: { d: string }): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={d} />
    </svg>
  );
}
