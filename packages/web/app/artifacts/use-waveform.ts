import { useEffect, useRef, useState } from "react";
import { loudness, waveformPath } from "./waveform.ts";

/** Bars that a waveform is drawn with. */
export const barCount = 72;

/**
 * SVG path of a recording's waveform, decoded from the sound itself. Undefined until it is there, and for a sound
 * that can't be decoded: it still plays, only without the drawing.
 *
 * @param file what the address stands for: a new address for the same file draws nothing anew
 */
export function useWaveform(url: string | undefined, file: string): string | undefined {
  const [path, setPath] = useState<string>();
  const latest = useRef(url);
  latest.current = url;
  const known = url !== undefined;
  useEffect(() => {
    const url = latest.current;
    if (!known || url === undefined) return;
    const stop = new AbortController();
    drawing(url, stop.signal).then(
      (drawn) => setPath(drawn),
      (error: Error) => {
        if (!stop.signal.aborted) console.warn(`No waveform: ${error.message}`);
      },
    );
    return () => stop.abort();
  }, [known, file]);
  return path;
}

async function drawing(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`the sound answered ${response.status}`);
  // A context that only decodes: needs no permission to make a sound.
  const context = new OfflineAudioContext(1, 1, 22_050);
  const sound = await context.decodeAudioData(await response.arrayBuffer());
  return waveformPath(loudness(sound.getChannelData(0), barCount));
}
