type Chunks = AsyncIterable<Uint8Array>;

/** The body as text, or undefined when it is longer than `limit` bytes. */
export const readAtMost = async (request: Request, limit: number): Promise<string | undefined> => {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as Chunks) {
    bytes += chunk.byteLength;
    // Read to its end all the same, see dropRest.
    if (bytes <= limit) chunks.push(chunk);
    else chunks = [];
  }
  return bytes > limit ? undefined : Buffer.concat(chunks).toString("utf8");
};

/**
 * Reads what nobody wanted to read. A client that is still sending when its connection ends never sees the answer.
 */
export const dropRest = async (request: Request): Promise<void> => {
  if (request.bodyUsed) return;
  for await (const _ of (request.body ?? []) as Chunks);
};
