import type { Job } from "@podbase/client";
import { type JSX, useId, useState } from "react";
import { type Made, madeBy } from "./kinds.ts";
import { Lightbox } from "./lightbox.tsx";
import { Picture } from "./picture.tsx";
import { pictureText } from "./picture-text.ts";

/** A picture that can be shown large. */
export interface Plate extends Made {
  alt: string;
}

/** All pictures that a job has made so far, each a button that opens it large. Nothing if there are none. */
export function Gallery({ job }: { job: Job }): JSX.Element | null {
  const title = useId();
  const [open, setOpen] = useState<number>();
  const made = madeBy(job, "picture");
  const plates = made.map((one, at) => ({ ...one, alt: pictureText(one, job, at + 1, made.length) }));
  if (plates.length === 0) return null;
  return (
    <section className="gallery" aria-labelledby={title} data-testid="gallery">
      <h2 id={title}>{plates.length === 1 ? "The picture" : "The pictures"}</h2>
      <ul data-count={Math.min(plates.length, 4)}>
        {plates.map(({ artifact, alt }, at) => (
          <li key={artifact.path}>
            <button
              type="button"
              className="gallery-open"
              data-testid="gallery-item"
              onClick={() => setOpen(at)}
              aria-haspopup="dialog"
            >
              <Picture artifact={artifact} alt={alt} fit="cover" />
            </button>
          </li>
        ))}
      </ul>
      {open !== undefined && <Lightbox plates={plates} first={open} onClose={() => setOpen(undefined)} />}
    </section>
  );
}
