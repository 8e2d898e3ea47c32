/** RIFF/WAVE files with uncompressed PCM, the format of espeak-ng and of most players. */

/** Uncompressed 16-bit mono sound. */
export type Pcm = { sampleRate: number; samples: Int16Array };

const HEADER_BYTES = 44;
const PCM_FORMAT = 1;

/** Writes a WAVE file: 16-bit, mono, little-endian, with the sizes in its header. */
export function encodeWav({ sampleRate, samples }: Pcm): Uint8Array<ArrayBuffer> {
  const dataBytes = samples.length * 2;
  const file = new Uint8Array(HEADER_BYTES + dataBytes);
  const view = new DataView(file.buffer);
  const tag = (offset: number, name: string) => file.set(new TextEncoder().encode(name), offset);
  tag(0, "RIFF");
  view.setUint32(4, file.length - 8, true);
  tag(8, "WAVE");
  tag(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM_FORMAT, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, dataBytes, true);
  samples.forEach((sample, index) => {
    view.setInt16(HEADER_BYTES + index * 2, sample, true);
  });
  return file;
}

/** Reads a WAVE file of 16-bit mono PCM. Throws a RangeError for anything else or for sizes that do not fit. */
export function decodeWav(file: Uint8Array): Pcm {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tag = (offset: number) => String.fromCharCode(...file.subarray(offset, offset + 4));
  if (tag(0) !== "RIFF" || tag(8) !== "WAVE") throw new RangeError("not a WAVE file");
  let sampleRate = 0;
  for (let offset = 12; offset + 8 <= file.length; ) {
    const size = view.getUint32(offset + 4, true);
    const start = offset + 8;
    if (start + size > file.length) throw new RangeError(`the chunk ${tag(offset)} is longer than its file`);
    if (tag(offset) === "fmt ") {
      const [format, channels, bits] = [0, 2, 14].map((at) => view.getUint16(start + at, true));
      if (format !== PCM_FORMAT || channels !== 1 || bits !== 16) throw new RangeError("not 16-bit mono PCM");
      sampleRate = view.getUint32(start + 4, true);
    }
    if (tag(offset) === "data") {
      const samples = Int16Array.from({ length: size / 2 }, (_, i) => view.getInt16(start + i * 2, true));
      return { sampleRate, samples };
    }
    offset = start + size + (size % 2);
  }
  throw new RangeError("a WAVE file without sound");
}
