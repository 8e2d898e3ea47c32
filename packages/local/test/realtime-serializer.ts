import { RealtimeClient } from "@supabase/supabase-js";
import ws from "ws";
import type { Version } from "../src/realtime/frames.ts";

/** A message as realtime-js holds it. */
export interface ClientMessage {
  join_ref?: string | null;
  ref?: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

/** The codec of the real client, so that tests don't trust an own copy of it. */
export class ClientSerializer {
  private readonly serializer = new RealtimeClient("ws://localhost", {
    params: { apikey: "none" },
    transport: ws as never,
  }).serializer;

  /** A broadcast as bytes. */
  encode(message: ClientMessage): Uint8Array {
    const encoded = this.serializer.encode(message as never, (frame) => frame) as unknown as ArrayBuffer;
    return new Uint8Array(encoded);
  }

  /** A frame of the server, text or bytes. */
  decode(version: Version, frame: string | Buffer | undefined): ClientMessage {
    if (version === "1.0.0") return JSON.parse(String(frame));
    const raw = typeof frame === "string" ? frame : new Uint8Array(frame ?? []).buffer;
    return this.serializer.decode(raw, (message: ClientMessage) => message) as unknown as ClientMessage;
  }
}
