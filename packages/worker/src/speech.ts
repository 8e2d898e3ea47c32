import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import createEspeak, { type EspeakModule } from "espeak-ng";
import { decodeWav, type Pcm } from "./wav.ts";

/** How a voice is made: an espeak-ng voice with a variant, pitch 0 to 99, speed in words a minute. */
export type Voice = { voice: string; pitch: number; speed: number };

/** The voices of a reading. */
export const VOICES = {
  alto: { voice: "en+f3", pitch: 55, speed: 150 },
  bass: { voice: "en+m3", pitch: 22, speed: 145 },
} as const satisfies Record<string, Voice>;

/** Of espeak's 0 to 200, 100 being its default, at which the deep voice clips now and then. */
const AMPLITUDE = "90";

/** Compiled once a process: the module holds all of espeak-ng's voices, 18 MB. */
let compiled: Promise<WebAssembly.Module> | undefined;

async function espeakModule(): Promise<WebAssembly.Module> {
  const path = join(dirname(createRequire(import.meta.url).resolve("espeak-ng")), "espeak-ng.wasm");
  return await WebAssembly.compile(await readFile(path));
}

/**
 * Speaks plain text with eSpeak NG (WebAssembly, in this process; its files live in memory). Throws an Error with
 * what espeak said if it made no sound file.
 */
export async function speak(text: string, { voice, pitch, speed }: Voice): Promise<Pcm> {
  compiled ??= espeakModule();
  const module = await compiled;
  const complaints: string[] = [];
  const espeak = await new Promise<EspeakModule>((resolve, reject) => {
    createEspeak({
      arguments: [
        ...["-v", voice, "-p", String(pitch), "-s", String(speed), "-a", AMPLITUDE],
        // -D: the breath in a voice is noise, which without it is seeded by the clock
        ...["-D", "-b", "1", "-f", "/text", "-w", "/sound"],
      ],
      preRun: [(instance) => instance.FS.writeFile("/text", text)],
      print: (line) => complaints.push(line),
      printErr: (line) => complaints.push(line),
      instantiateWasm: (imports, done) => {
        WebAssembly.instantiate(module, imports).then((instance) => done(instance, module), reject);
        return {};
      },
    }).then(resolve, reject);
  });
  if (!espeak.FS.analyzePath("/sound").exists) {
    throw new Error(`espeak-ng made no sound: ${complaints.join(" ") || "it gave no reason"}`);
  }
  return decodeWav(espeak.FS.readFile("/sound"));
}
