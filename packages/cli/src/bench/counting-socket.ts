import ws from "ws";

/** What a socket class has counted since it was made. */
export interface SocketCounts {
  /** Broadcasts of job changes. */
  messages: number;
  /** Bytes of those, as they came. */
  bytes: number;
}

/** First byte of a binary broadcast (supabase/realtime-js, serializer). */
const BINARY_BROADCAST = 4;

/** A WebSocket class for supabase-js that counts Podbase's broadcasts. */
export function countingSocket() {
  const counts: SocketCounts = { messages: 0, bytes: 0 };
  class CountingSocket extends ws {
    constructor(...parameters: ConstructorParameters<typeof ws>) {
      super(...parameters);
      this.on("message", (data: Buffer | ArrayBuffer) => {
        const frame = Buffer.from(data as ArrayBuffer);
        // In text frames the event is the fourth element: [join, ref, topic, "broadcast", payload].
        if (frame[0] !== BINARY_BROADCAST && !frame.includes('","broadcast",')) return;
        counts.messages += 1;
        counts.bytes += frame.length;
      });
    }
  }
  return { transport: CountingSocket, counts };
}
