import type { Artifact } from "@podbase/client";
import { type JSX, useId, useRef, useState } from "react";
import { spokenSize } from "../texts/durations.ts";
import { downloadHref } from "./download-href.ts";
import { useAddress } from "./use-address.ts";
import { barCount, useWaveform } from "./use-waveform.ts";
import { silence } from "./waveform.ts";

/** A recording: a button, a waveform that shows and sets the position, the time, a link to keep it. */
export function Sound({ artifact, fileName }: { artifact: Artifact; fileName: string }): JSX.Element {
  const { url, failure, renew } = useAddress(artifact);
  const waveform = useWaveform(url, artifact.path);
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [duration, setDuration] = useState(0);
  const [position, setPosition] = useState(0);
  const [broken, setBroken] = useState(false);
  // A new address loads the file anew: go on where it was.
  const resume = useRef({ at: 0, playing: false });

  if (failure) return <p className="message message-bad">{failure}</p>;
  if (!url) return <p className="step-hint">Fetching the recording…</p>;

  const play = async () => {
    const player = audio.current;
    if (!player) return;
    if (!player.paused) return player.pause();
    // Refused if the file can't be played; onError tells.
    await player.play().catch(() => setPlaying(false));
  };
  const seek = (to: number) => {
    // While a new address is loading there is nothing to seek in yet.
    if (audio.current?.readyState === 0) resume.current.at = to;
    else if (audio.current) audio.current.currentTime = to;
    setPosition(to);
  };

  return (
    <div className="sound">
      {/* biome-ignore lint/a11y/useMediaCaption: the same words stand as text on this page */}
      <audio
        ref={audio}
        data-testid="audio"
        preload="metadata"
        src={url}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onLoadedMetadata={(event) => {
          const player = event.currentTarget;
          const { at, playing } = resume.current;
          resume.current = { at: 0, playing: false };
          setBroken(false);
          setDuration(player.duration);
          if (at > 0) player.currentTime = at;
          if (playing) void play();
        }}
        onTimeUpdate={(event) => {
          if (event.currentTarget.readyState > 0) setPosition(event.currentTarget.currentTime);
        }}
        onError={() => {
          resume.current = { at: position, playing };
          setBroken(true);
          renew();
        }}
      />
      <div className="sound-player">
        <button
          type="button"
          className="sound-play"
          data-testid="play"
          aria-label={playing ? "Pause the recording" : "Play the recording"}
          onClick={play}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={playing ? "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" : "M8 4.5 19.5 12 8 19.5z"} />
          </svg>
        </button>
        <Waveform
          path={waveform ?? silence(barCount)}
          duration={duration}
          position={position}
          onSeek={seek}
        />
        <span className="sound-time" aria-hidden="true">
          {clock(position)} / {clock(duration)}
        </span>
      </div>
      {broken && <p className="step-hint">It can't be played here right now. You can download it.</p>}
      <p className="links">
        <a href={downloadHref(url, fileName)}>
          Download<span className="visually-hidden"> the recording</span>
        </a>
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
        data-testid="position"
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
