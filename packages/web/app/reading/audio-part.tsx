import type { Artifact } from "@podbase/client";
import { type JSX, useId, useRef, useState } from "react";
import { spokenSize } from "../texts/durations.ts";
import { downloadHref } from "./download-href.ts";
import { useSignedUrl } from "./use-signed-url.ts";
import { barCount, useWaveform } from "./use-waveform.ts";

/** The recording: a waveform that shows and sets the position, the browser's own player, a link to keep it. */
export function AudioPart({ artifact }: { artifact: Artifact | undefined }): JSX.Element {
  const { url, failure, renew } = useSignedUrl(artifact);
  const waveform = useWaveform(url);
  const audio = useRef<HTMLAudioElement>(null);
  const [duration, setDuration] = useState(0);
  const [position, setPosition] = useState(0);
  // Where to go on after an expired URL was renewed.
  const resumeAt = useRef(0);

  if (failure) return <p className="message message-bad">{failure}</p>;
  if (!artifact || !url) return <p className="step-hint">Fetching the recording…</p>;

  const seek = (to: number) => {
    if (audio.current) audio.current.currentTime = to;
    setPosition(to);
  };
  const broke = () => {
    // Signed URLs run out while a page stays open; one that never played has another fault, told by the player.
    if (duration === 0) return;
    resumeAt.current = position;
    renew();
  };

  return (
    <div className="sound">
      {waveform && <Waveform path={waveform} duration={duration} position={position} onSeek={seek} />}
      {/* biome-ignore lint/a11y/useMediaCaption: the same words stand as text on this page */}
      <audio
        ref={audio}
        data-testid="audio"
        controls
        preload="metadata"
        src={url}
        onLoadedMetadata={(event) => {
          setDuration(event.currentTarget.duration);
          if (resumeAt.current > 0) event.currentTarget.currentTime = resumeAt.current;
          resumeAt.current = 0;
        }}
        onTimeUpdate={(event) => setPosition(event.currentTarget.currentTime)}
        onError={broke}
      />
      <p className="links">
        <a href={downloadHref(url, "reading.wav")}>Download</a>{" "}
        <span className="fine">{spokenSize(artifact.bytes)}</span>
      </p>
    </div>
  );
}

function Waveform(props: {
  path: string;
  duration: number;
  position: number;
  onSeek: (seconds: number) => void;
}): JSX.Element {
  const { path, duration, position, onSeek } = props;
  const clip = useId();
  const played = duration > 0 ? (position / duration) * barCount : 0;
  return (
    <div className="waveform">
      <svg viewBox={`0 0 ${barCount} 2`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <clipPath id={clip}>
          <rect width={played} height="2" />
        </clipPath>
        <path className="waveform-all" d={path} />
        <path className="waveform-played" d={path} clipPath={`url(#${clip})`} />
      </svg>
      <input
        type="range"
        aria-label="Position in the recording"
        aria-valuetext={`${clock(position)} of ${clock(duration)}`}
        min={0}
        max={Math.max(1, Math.ceil(duration))}
        step={1}
        value={Math.round(position)}
        onChange={(event) => onSeek(Math.min(duration, event.target.valueAsNumber))}
      />
    </div>
  );
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
