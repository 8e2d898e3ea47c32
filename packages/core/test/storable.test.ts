import { describe, expect, it } from "vitest";
import { reportOf, storableText, unstorable } from "../src/index.ts";

const nested = (levels: number, inner = "1") => JSON.parse("[".repeat(levels) + inner + "]".repeat(levels));

describe("unstorable", () => {
  it("finds nothing wrong with what JSON usually holds", () => {
    expect(unstorable({ a: [1, "é😀", null, { b: true, "": -1.5e300 }], c: nested(98) })).toBeNull();
    expect(unstorable("text")).toBeNull();
    expect(unstorable(undefined)).toBeNull();
  });

  it.each([
    ["a NUL in a text", '{"a":["x","\\u0000"]}', ["a", 1]],
    ["a NUL in a key", '{"a":{"b\\u0000":1}}', ["a", "b\ufffd"]],
    ["half a surrogate pair", '{"a":"\\ud83d"}', ["a"]],
    ["the halves of a pair the wrong way round", '["\\ude00\\ud83d"]', [0]],
    ["half a pair in a key", '{"\\udc00":{}}', ["\ufffd"]],
    ["a number out of range", '{"n":[1,1e400]}', ["n", 1]],
    ["a key of its own named __proto__", '{"__proto__":{"x":"\\u0000"}}', ["__proto__", "x"]],
    ["nothing but a NUL", '"\\u0000"', []],
  ])("names the path to %s", (_what, json, path) => {
    expect(unstorable(JSON.parse(json))).toEqual({ path, message: expect.any(String) });
  });

  it("stops at a hundred levels, and takes no stack for a hundred thousand", () => {
    expect(unstorable(nested(100))).toBeNull();
    expect(unstorable(nested(101))?.path).toHaveLength(100);
    expect(unstorable(nested(100_000))?.message).toContain("100 levels");
  });
});

it("storableText replaces what can't be stored and nothing else", () => {
  expect(storableText("a\0b\ud83dc\u{1f600}")).toBe("a\ufffdb\ufffdc\u{1f600}");
});

it("a report carries nothing that the database can't take, whatever RunPod said", () => {
  expect(
    reportOf({
      id: "x\0",
      status: "FAILED",
      error: nested(20_000),
      delayTime: 1.5,
      executionTime: 1e300,
      workerId: "\ud800",
    }),
  ).toEqual({
    status: "FAILED",
    providerId: "x\ufffd",
    error: "an error that can't be shown: nested deeper than 100 levels",
    delayTime: 2,
    executionTime: Number.MAX_SAFE_INTEGER,
    workerId: "\ufffd",
  });
  expect(reportOf({ status: "FAILED", error: "a\0b", delayTime: -3 })).toEqual({
    status: "FAILED",
    error: "a\ufffdb",
    delayTime: 0,
  });
});

it("a report carries no secret of an attempt that an error quotes, not even what is left where the error was cut", () => {
  const token = "0123456789abcdef".repeat(4);
  const quoted = {
    token,
    url: "https://p/sign/x?token=eyJhbGciOiJFUzI1NiIsImtpZCI6Ijk5In0.eyJ1cmwiOiJ4In0.c2ln-_w",
  };
  const bare = { token: "[redacted]", url: "https://p/sign/x?token=[redacted]" };
  const errorOf = (error: unknown) => reportOf({ status: "FAILED", error }).error;
  expect(errorOf(`KeyError in ${JSON.stringify(quoted)}`)).toBe(`KeyError in ${JSON.stringify(bare)}`);
  expect(errorOf({ error_message: quoted })).toBe(JSON.stringify({ error_message: bare }));
  expect(errorOf(`${"-".repeat(9_950)}${token}`)).toBe(`${"-".repeat(9_950)}[redacted]`);
  expect(errorOf("no file e3b0c44298fc1c14 of job 77f3c1f5-u1")).toBe(
    "no file e3b0c44298fc1c14 of job 77f3c1f5-u1",
  );
});
