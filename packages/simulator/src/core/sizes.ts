import type { Json } from "./json.ts";
import type { PlatformSettings } from "./settings.ts";

type Largest = PlatformSettings["largest"];

/** Bytes of a value as JSON; 0 for none. */
export const bytesOf = (value: Json | undefined): number =>
  value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));

/** Whether the platform refuses this result of a /run, or with `sync` of a /runsync. */
export const isResultTooLarge = (largest: Largest, sync: boolean, output: Json | undefined): boolean =>
  bytesOf(output) > largest[sync ? "runsync" : "run"];

/** Whether the platform refuses this part of a stream. */
export const isChunkTooLarge = (largest: Largest, chunk: Json): boolean => bytesOf(chunk) > largest.chunk;
