import type { Json } from "./json.ts";
import { LARGEST_BYTES, LARGEST_CHUNK_BYTES } from "./settings.ts";

/** Bytes of a value as JSON; 0 for none. */
export const bytesOf = (value: Json | undefined): number =>
  value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));

/** Whether the platform refuses this result of a /run, or with `sync` of a /runsync. */
export const isResultTooLarge = (sync: boolean, output: Json | undefined): boolean =>
  bytesOf(output) > LARGEST_BYTES[sync ? "runsync" : "run"];

/** Whether the platform refuses this part of a stream. */
export const isChunkTooLarge = (chunk: Json): boolean => bytesOf(chunk) > LARGEST_CHUNK_BYTES;
