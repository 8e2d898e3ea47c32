/** What reconcile refuses under Deno: each gets a 4xx with a code. */
import { describe, expect, it } from "vitest";
import { type Ask, MB, sender, streamed } from "./bad-input.ts";
import { demoOfFile } from "./harness.ts";

const { demo, alice } = await demoOfFile();
const send = sender(demo, alice);

describe("reconcile", () => {
  const refused: [string, () => Ask, number, string][] = [
    ["nobody", () => ({ body: "{}", headers: { authorization: "", apikey: "" } }), 401, "unauthorized"],
    ["a user with the publishable key", () => ({ body: "{}" }), 401, "unauthorized"],
    ["the publishable key", () => ({ body: "{}", headers: { authorization: "" } }), 401, "unauthorized"],
    ["a user's token as key", () => ({ body: "{}", headers: { apikey: alice.token } }), 401, "unauthorized"],
    [
      "a secret key as Bearer",
      () => ({ body: "{}", headers: { authorization: `Bearer ${demo.stack.secretKeys.default}` } }),
      401,
      "unauthorized",
    ],
    [
      "25 MB with a secret key",
      () => ({ body: " ".repeat(25 * MB), headers: { apikey: demo.stack.secretKeys.default ?? "" } }),
      413,
      "payload_too_large",
    ],
    ["25 MB of unknown length", () => ({ body: streamed(25 * MB) }), 413, "payload_too_large"],
    ["GET", () => ({ method: "GET" }), 405, "method_not_allowed"],
    ["another path", () => ({ path: "reconcile/now", body: "{}" }), 404, "not_found"],
  ];
  it.each(refused)("refuses %s", async (_what, ask, status, code) => {
    const response = await send({ path: "reconcile", ...ask() });
    expect([response.status, (await response.json()).error.code]).toEqual([status, code]);
  });

  it("doesn't read what a secret key brings along", async () => {
    const apikey = demo.stack.secretKeys.podbase ?? "";
    expect((await send({ path: "reconcile", body: "{", headers: { apikey } })).status).toBe(202);
  });
});
