/** Protocol versions of realtime-js: 1.0.0 sends objects, 2.0.0 arrays and binary broadcasts. */
export type Version = "1.0.0" | "2.0.0";

/** A message of the Phoenix channel protocol. */
export interface Message {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

/** A broadcast of a user or of the database. `body` is JSON text or, with encoding `binary`, bytes. */
export interface Broadcast {
  event: string;
  encoding: "json" | "binary";
  body: Buffer;
  meta?: Record<string, unknown>;
}

/** What a client sent: a message, or a broadcast into the channel `topic`. */
export type ClientFrame =
  | ({ kind: "message" } & Message)
  | ({ kind: "broadcast"; broadcast: Broadcast } & Omit<Message, "event" | "payload">);

/** A frame that is none of the protocol. The socket it came from can't be trusted any further. */
export class FrameError extends Error {
  override name = "FrameError";
}

const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST = 4;
const LONGEST_FIELD = 255;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOrNull = (value: unknown): string | null =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : null;

/** Reads a client's frame, text or binary. Throws FrameError. */
export function decodeFrame(version: Version, data: Buffer, isBinary: boolean): ClientFrame {
  return isBinary ? decodeBinary(data) : decodeText(version, data.toString("utf8"));
}

function decodeText(version: Version, text: string): ClientFrame {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new FrameError("not JSON");
  }
  let fields: unknown[];
  if (version === "2.0.0" && Array.isArray(parsed)) fields = parsed;
  else if (version === "1.0.0" && isRecord(parsed))
    fields = [parsed.join_ref, parsed.ref, parsed.topic, parsed.event, parsed.payload];
  else throw new FrameError(`not a message of version ${version}`);
  const [joinRef, ref, topic, event, payload] = fields;
  if (typeof topic !== "string" || typeof event !== "string") throw new FrameError("no topic or event");
  const address = { joinRef: textOrNull(joinRef), ref: textOrNull(ref), topic };
  if (event !== "broadcast" || !isRecord(payload) || typeof payload.event !== "string")
    return { kind: "message", ...address, event, payload };
  const body = Buffer.from(JSON.stringify(payload.payload ?? {}));
  return { kind: "broadcast", ...address, broadcast: { event: payload.event, encoding: "json", body } };
}

/** Layout: kind, six lengths or flags, then the fields (supabase/realtime, `RealtimeWeb.Socket.V2Serializer`). */
function decodeBinary(data: Buffer): ClientFrame {
  if (data[0] !== USER_BROADCAST_PUSH) throw new FrameError(`unknown binary kind ${data[0]}`);
  let offset = 7;
  const field = (index: number): string => {
    const length = data[index];
    if (length === undefined || offset + length > data.length) throw new FrameError("frame cut short");
    offset += length;
    return data.toString("utf8", offset - length, offset);
  };
  const joinRef = field(1);
  const ref = field(2);
  const topic = field(3);
  const event = field(4);
  field(5); // metadata: only `persist`, which is for replay
  const encoding = data[6] === 1 ? "json" : "binary";
  const body = data.subarray(offset);
  if (encoding === "json") assertJson(body);
  return {
    kind: "broadcast",
    joinRef: joinRef || null,
    ref: ref || null,
    topic,
    broadcast: { event, encoding, body },
  };
}

function assertJson(body: Buffer): void {
  try {
    JSON.parse(body.toString("utf8"));
  } catch {
    throw new FrameError("broadcast payload is not JSON");
  }
}

/** Writes a message; `payload` is JSON text, so values keep what JavaScript would round. */
export function encodeJson(version: Version, message: Omit<Message, "payload">, payload: string): string {
  const { joinRef, ref, topic, event } = message;
  if (version === "2.0.0") return `${JSON.stringify([joinRef, ref, topic, event]).slice(0, -1)},${payload}]`;
  return `${JSON.stringify({ topic, event, ref, join_ref: joinRef }).slice(0, -1)},"payload":${payload}}`;
}

/** Writes a message. */
export const encodeMessage = (version: Version, { payload, ...message }: Message): string =>
  encodeJson(version, message, JSON.stringify(payload));

/**
 * Writes a broadcast for the subscribers of `topic`. Undefined when the version can't carry it: binary payloads in
 * 1.0.0, or with an event or topic of over 255 bytes.
 */
export function encodeBroadcast(
  version: Version,
  topic: string,
  broadcast: Broadcast,
): string | Buffer | undefined {
  const meta = broadcast.meta === undefined ? "" : JSON.stringify(broadcast.meta);
  const fields = [topic, broadcast.event, meta].map((field) => Buffer.from(field));
  if (version === "2.0.0" && fields.every((field) => field.length <= LONGEST_FIELD)) {
    const encoding = broadcast.encoding === "json" ? 1 : 0;
    const header = Buffer.from([USER_BROADCAST, ...fields.map((field) => field.length), encoding]);
    return Buffer.concat([header, ...fields, broadcast.body]);
  }
  if (broadcast.encoding === "binary") return undefined;
  const rest = meta ? `,"meta":${meta}` : "";
  const payload = `{"type":"broadcast","event":${JSON.stringify(broadcast.event)},"payload":${broadcast.body}${rest}}`;
  return encodeJson(version, { joinRef: null, ref: null, topic, event: "broadcast" }, payload);
}
