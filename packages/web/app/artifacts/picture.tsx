import type { Artifact } from "@podbase/client";
import { type JSX, useState } from "react";
import { useAddress } from "./use-address.ts";

/** A picture in a frame that keeps its place until it is there. */
export function Picture(props: {
  artifact: Artifact;
  alt: string;
  /** How it fits its frame: cut to fill it, or whole. */
  fit: "cover" | "contain";
}): JSX.Element {
  const { artifact, alt, fit } = props;
  const { url, failure, renew } = useAddress(artifact);
  const [shown, setShown] = useState(false);
  const [broken, setBroken] = useState(false);
  if (failure) return <span className="picture-lost">{failure}</span>;
  return (
    <span className={`picture picture-${fit}`} data-shown={shown}>
      {url && (
        <img
          src={url}
          alt={alt}
          decoding="async"
          onLoad={() => {
            setShown(true);
            setBroken(false);
          }}
          onError={() => {
            setBroken(true);
            renew();
          }}
        />
      )}
      {broken && <span className="picture-lost">This picture can't be shown right now.</span>}
    </span>
  );
}
