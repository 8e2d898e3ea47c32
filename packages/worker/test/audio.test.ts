import { describe, expect, it } from "vitest";
import { audioHandler } from "../src/audio.ts";
import { speakable } from "../src/speakable.ts";
import { decodeWav, type Pcm } from "../src/wav.ts";

const LONG =
  "The moon was *nearly* full, and whoever was out on the road that night could see both the way and the walker.";
const TEXT = `# A reading for Zoë\n\n${LONG}\n\n> Will I travel?\n\nPack a light bag, and go.\n`;

async function spoken(input: Record<string, unknown>) {
  const files = new Map<string, Uint8Array>();
  const progress: number[] = [];
  const output = await audioHandler(input, {
    now: new Date(0),
    progress: async (fraction) => void progress.push(fraction),
    upload: async (name, bytes) => void files.set(name, bytes),
  });
  return { output, progress, file: files.get("audio") ?? new Uint8Array() };
}

function rms({ samples }: Pcm): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** The median pitch of the voiced parts in Hz, by autocorrelation. */
function pitch({ samples, sampleRate }: Pcm): number {
  const window = 1_024;
  const found: number[] = [];
  for (let start = 0; start + window + 400 < samples.length; start += 4 * window) {
    let best = { lag: 0, likeness: 0.8 };
    for (let lag = Math.floor(sampleRate / 400); lag < 400; lag++) {
      let [product, here, there] = [0, 1, 1];
      for (let i = start; i < start + window; i++) {
        const [a, b] = [samples[i] as number, samples[i + lag] as number];
        product += a * b;
        here += a * a;
        there += b * b;
      }
      const likeness = product / Math.sqrt(here * there);
      if (here / window > 1e6 && likeness > best.likeness) best = { lag, likeness };
    }
    if (best.lag > 0) found.push(sampleRate / best.lag);
  }
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0;
}

describe("the audio handler", { timeout: 60_000 }, () => {
  it("speaks a text in two voices that can be told apart", async () => {
    const alto = await spoken({ text: TEXT, voice: "alto" });
    const bass = await spoken({ text: TEXT, voice: "bass" });
    const [high, low] = [decodeWav(alto.file), decodeWav(bass.file)];
    for (const [{ output, file }, sound] of [
      [alto, high],
      [bass, low],
    ] as const) {
      expect(sound.sampleRate).toBe(22_050);
      expect(sound.samples.length).toBe((file.length - 44) / 2);
      expect(sound.samples.length / sound.sampleRate).toBeGreaterThan(5);
      expect(output).toEqual({
        sampleRate: 22_050,
        seconds: Math.round((sound.samples.length / sound.sampleRate) * 10) / 10,
      });
      expect(rms(sound)).toBeGreaterThan(1_000);
    }
    expect(pitch(high)).toBeGreaterThan(165);
    expect(pitch(low)).toBeLessThan(120);
  });

  it("makes the same sound of the same text, and tells its progress part by part", async () => {
    const [one, other] = [
      await spoken({ text: TEXT, voice: "alto" }),
      await spoken({ text: TEXT, voice: "alto" }),
    ];
    expect(Buffer.compare(one.file, other.file)).toBe(0);
    expect(one.progress).toEqual([0, 0.5, 0.95]);
  });

  it("leaves silence between two paragraphs", async () => {
    const { samples, sampleRate } = decodeWav(
      (await spoken({ text: `${LONG}\n\nTwo.`, voice: "bass" })).file,
    );
    let longest = 0;
    let silence = 0;
    for (const sample of samples) {
      silence = sample === 0 ? silence + 1 : 0;
      longest = Math.max(longest, silence);
    }
    expect(longest / sampleRate).toBeGreaterThanOrEqual(0.7);
  });

  it("refuses a text without words and a voice it does not have", async () => {
    await expect(spoken({ text: "---\n\n***\n", voice: "alto" })).rejects.toThrow("there is nothing to say");
    await expect(spoken({ text: "Hello", voice: "tenor" })).rejects.toThrow();
  });
});

describe("text to be spoken", () => {
  const texts = (markdown: string) => speakable(markdown).flatMap(({ text }) => text.split("\n\n"));

  it("loses its markup and keeps its words", () => {
    expect(
      texts("# A *title*\n\nSome **bold** text \\[sic\\] · more — yes.\n\n- one\n- two\n\n---\n\n> why?"),
    ).toEqual(["A title", "Some bold text sic , more, yes.", "one", "two", "why?"]);
  });

  it("holds no phoneme or markup commands", () => {
    expect(texts("say [[h@'loU]] \\<break\\>").join()).not.toMatch(/[[\]<>]/);
  });

  it("is written in Latin letters, since the voices read no others", () => {
    expect(texts("Zoë Σοφία Наталья 🎉 Łukasz")).toEqual(["Zoë Sofia Natal'ya Łukasz"]);
  });

  it("has its headings and other short blocks together with what follows", () => {
    const parts = speakable(`# Title\n\nDear Zoë,\n\n${LONG}\n\n## Next\n\n${LONG}\n\nshort`);
    expect(parts.map(({ text }) => text.split("\n\n").length)).toEqual([3, 2, 1]);
  });

  it("breathes longer at a rule", () => {
    const pauses = (markdown: string) => speakable(markdown).map((utterance) => utterance.pause);
    expect(pauses(`${LONG}\n\n---\n\nb`)[0]).toBeGreaterThan(pauses(`${LONG}\n\nb`)[0] as number);
  });
});
