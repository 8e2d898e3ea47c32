import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filterSql, parseFilters } from "../src/realtime/filters.ts";
import {
  decodeFrame,
  encodeBroadcast,
  encodeMessage,
  FrameError,
  type Message,
  type Version,
} from "../src/realtime/frames.ts";
import { decodePgoutput } from "../src/realtime/pgoutput.ts";
import { ClientSerializer } from "./realtime-serializer.ts";

const version = fc.constantFrom<Version>("1.0.0", "2.0.0");
/** Text of at most 255 bytes, as the binary header can hold it. */
const field = fc.string({ unit: "binary", maxLength: 60 });
const json = fc.jsonValue({ noUnicodeString: false });
const message: fc.Arbitrary<Message> = fc.record({
  joinRef: fc.option(field.filter((text) => text !== "")),
  ref: fc.option(field.filter((text) => text !== "")),
  topic: field,
  event: field.filter((event) => event !== "broadcast"),
  payload: json,
});

describe("frames", () => {
  it("of text survive a round trip in both versions", () => {
    fc.assert(
      fc.property(version, message, (vsn, sent) => {
        const frame = decodeFrame(vsn, Buffer.from(encodeMessage(vsn, sent)), false);
        expect(frame).toEqual({ kind: "message", ...JSON.parse(JSON.stringify(sent)) });
      }),
    );
  });

  it("of a client's broadcast are read as realtime-js writes them", () => {
    const serializer = new ClientSerializer();
    const payload = fc.oneof(
      json.map((value) => value ?? {}),
      fc.uint8Array(),
    );
    fc.assert(
      fc.property(message, field, payload, ({ joinRef, ref, topic }, event, value) => {
        const isBinary = value instanceof Uint8Array;
        const body = isBinary ? value.slice().buffer : value;
        const sent = { join_ref: joinRef, ref, topic, event: "broadcast", payload: { event, payload: body } };
        const frame = decodeFrame("2.0.0", Buffer.from(serializer.encode(sent)), true);
        expect(frame).toMatchObject({ kind: "broadcast", joinRef, ref, topic, broadcast: { event } });
        if (frame.kind !== "broadcast") return;
        expect(frame.broadcast.encoding).toBe(isBinary ? "binary" : "json");
        if (isBinary) expect(new Uint8Array(frame.broadcast.body)).toEqual(value);
        else expect(JSON.parse(frame.broadcast.body.toString())).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("of the server's broadcast are read by realtime-js as meant", () => {
    const serializer = new ClientSerializer();
    fc.assert(
      fc.property(version, field, field, json, fc.option(fc.uuid()), (vsn, topic, event, payload, id) => {
        const body = Buffer.from(JSON.stringify(payload));
        const meta = id === null ? {} : { meta: { id } };
        const encoded = encodeBroadcast(vsn, topic, { event, encoding: "json", body, ...meta });
        const read = serializer.decode(vsn, encoded);
        expect(read).toMatchObject({ topic, event: "broadcast" });
        expect(read.payload).toEqual(
          JSON.parse(JSON.stringify({ type: "broadcast", event, payload, ...meta })),
        );
      }),
    );
  });

  it("of a broadcast whose header is too long for bytes are text", () => {
    const long = "ä".repeat(200);
    const broadcast = { event: long, encoding: "json", body: Buffer.from("{}") } as const;
    expect(encodeBroadcast("2.0.0", "t", broadcast)).toContain(long);
    expect(encodeBroadcast("2.0.0", "t", { ...broadcast, encoding: "binary" })).toBeUndefined();
    expect(encodeBroadcast("1.0.0", "t", { ...broadcast, event: "e", encoding: "binary" })).toBeUndefined();
  });

  it("that are none fail in one way only", () => {
    fc.assert(
      fc.property(version, fc.uint8Array(), fc.boolean(), (vsn, bytes, isBinary) => {
        try {
          decodeFrame(vsn, Buffer.from(bytes), isBinary);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 500 },
    );
    expect(() => decodeFrame("2.0.0", Buffer.from([3, 9]), true)).toThrow(FrameError);
    expect(() => decodeFrame("1.0.0", Buffer.from("[]"), false)).toThrow(FrameError);
  });
});

describe("filters", () => {
  it("are read with quotes, lists and negation", () => {
    expect(parseFilters('a=eq.1, b=not.in.("x,y",z),c=like."50%, \\"off\\"",d=is.null')).toEqual([
      { column: "a", operator: "eq", value: "1", negate: false },
      { column: "b", operator: "in", value: '{"x,y",z}', negate: true },
      { column: "c", operator: "like", value: '50%, "off"', negate: false },
      { column: "d", operator: "is", value: "null", negate: false },
    ]);
    expect(parseFilters("  ")).toEqual([]);
    expect(parseFilters('title=eq.it"s, fine=eq.1')).toHaveLength(2);
  });

  it("that make no sense are refused in hosted Realtime's words", () => {
    expect(() => parseFilters("undefined")).toThrow('["undefined"]');
    expect(() => parseFilters("a=foo.b")).toThrow('["foo","b"]');
    expect(() => parseFilters("a=eq.1,,b=eq.2")).toThrow("empty segments");
    expect(() => parseFilters("a=in.1,2")).toThrow("wrapped by parentheses");
    expect(() => parseFilters("a=is.maybe")).toThrow("must be null, true, false, or unknown");
    expect(() => parseFilters("a=constructor.x")).toThrow('["constructor","x"]');
  });

  it("become SQL in which null counts as false", () => {
    const [negated, list, missing] = parseFilters("a=not.eq.1,a=in.(1,2),a=not.is.null") as [
      never,
      never,
      never,
    ];
    expect(filterSql(negated, "x", "int4", "$1")).toBe("coalesce(not (x = $1::text::int4), false)");
    expect(filterSql(list, "x", "int4", "$1")).toBe("coalesce((x = any ($1::text::int4[])), false)");
    expect(filterSql(missing, "x", "int4", "")).toBe("(x is not null)");
  });
});

describe("pgoutput", () => {
  const int16 = (value: number) => [value >> 8, value & 255];
  const int32 = (value: number) => [0, 0, ...int16(value)];
  const text = (value: string) => [
    ..."t".split("").map((c) => c.charCodeAt(0)),
    ...int32(Buffer.byteLength(value)),
    ...Buffer.from(value),
  ];
  const letter = (value: string) => value.charCodeAt(0);

  it("tells null, empty and untouched values apart", () => {
    const tuple = [...int16(4), letter("n"), ...text(""), letter("u"), ...text("ü")];
    const update = [letter("U"), ...int32(7), letter("K"), ...int16(1), ...text("1"), letter("N"), ...tuple];
    expect(decodePgoutput(Buffer.from(update))).toEqual({
      tag: "update",
      oid: 7,
      old: ["1"],
      row: [null, "", undefined, "ü"],
    });
  });

  it("keeps nothing of what it doesn't know", () => {
    expect(decodePgoutput(Buffer.from("C"))).toBeUndefined();
    expect(() => decodePgoutput(Buffer.from("?"))).toThrow("unknown message");
    expect(() =>
      decodePgoutput(Buffer.from([letter("I"), ...int32(1), letter("N"), ...int16(1), letter("b")])),
    ).toThrow();
  });
});
