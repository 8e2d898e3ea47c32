import { z } from "zod";
import type { Handler } from "./companion.ts";
import { speakable } from "./speakable.ts";
import { speak, VOICES } from "./speech.ts";
import { encodeWav } from "./wav.ts";

const audioInput = z.looseObject({
  /** Markdown; the bound keeps a reading's sound below 50 MB, the size of an object that free Supabase projects take. */
  text: z.string().min(1).max(15_000),
  voice: z.enum(["alto", "bass"]),
});

/** Seconds of silence before the first word. */
const LEAD_IN = 0.3;

/**
 * Reads a text aloud. Input `{ text, voice }` with Markdown in `text`; output `{ seconds, sampleRate }`, the sound
 * as the artifact `audio` (WAVE, 16-bit mono).
 */
export const audioHandler: Handler = async (input, { progress, upload }) => {
  const { text, voice } = audioInput.parse(input);
  const utterances = speakable(text);
  if (utterances.length === 0) throw new RangeError("invalid input: there is nothing to say in the text");

  const parts: Int16Array[] = [];
  let sampleRate = 0;
  for (const [index, utterance] of utterances.entries()) {
    await progress(index / utterances.length, `Speaking part ${index + 1} of ${utterances.length}`);
    const sound = await speak(utterance.text, VOICES[voice]);
    sampleRate = sound.sampleRate;
    if (index === 0) parts.push(silence(LEAD_IN, sampleRate));
    parts.push(sound.samples, silence(utterance.pause, sampleRate));
  }
  const samples = joined(parts);
  await progress(0.95, "Storing the sound");
  await upload("audio", encodeWav({ sampleRate, samples }));
  return { seconds: Math.round((samples.length / sampleRate) * 10) / 10, sampleRate };
};

function silence(seconds: number, sampleRate: number): Int16Array {
  return new Int16Array(Math.round(seconds * sampleRate));
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
