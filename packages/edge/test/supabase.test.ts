import { PodbaseError } from "@podbase/core";
import { afterEach, expect, it, vi } from "vitest";
import ws from "ws";
import { supabasePorts } from "../src/index.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The ports over a project that answers with each of `answers` in turn and then with the last one, and what was called. */
function portsOver(...answers: (() => Response)[]) {
  vi.useFakeTimers();
  // supabase-js wants a WebSocket, which Node 20 lacks.
  vi.stubGlobal("WebSocket", ws);
  const called: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    called.push(new URL(url).pathname);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return (answer as () => Response)();
  });
  return { called, ...supabasePorts({ supabaseUrl: "http://p.test", secretKey: "x" }) };
}
const away = () => {
  throw new TypeError("fetch failed");
};
const starting = () => Response.json({ message: "the database system is starting up" }, { status: 503 });
const RESULT = { attempt: "a1", outcome: "accepted", providerId: "rp1" } as const;

it("what came of a POST to RunPod is told again until the database has heard it", async () => {
  const { database, called } = portsOver(away, starting, () => Response.json(1));
  const told = database.recordSubmissions([RESULT]);
  await vi.runAllTimersAsync();
  expect(await told).toBe(1);
  expect(called).toEqual(Array(3).fill("/rest/v1/rpc/record_submissions"));
});

it("a database that stays away is given up after four tries, and told anything else but once", async () => {
  const { database, called } = portsOver(starting);
  const told = database.recordSubmissions([RESULT]);
  const failed = expect(told).rejects.toThrow(PodbaseError);
  await vi.runAllTimersAsync();
  await failed;
  expect(called).toHaveLength(4);
  await expect(database.recordCancels(["a1"])).rejects.toThrow(PodbaseError);
  expect(called).toHaveLength(5);
});
