import { describe, expect, it } from "vitest";
import { patientFetch } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";

const TOKEN = "http://podbase.test/auth/v1/token?grant_type=refresh_token";

/** A fetch over an Auth of our making: each call of `answer` is one try. */
const setUp = (answer: (signal: AbortSignal | null | undefined) => Promise<Response>) => {
  const runtime = createFakeRuntime();
  const wakers = new Set<() => void>();
  const tries: number[] = [];
  const fetch = patientFetch({
    runtime,
    lifecycle: {
      isHidden: () => false,
      onWake(callback) {
        wakers.add(callback);
        return () => void wakers.delete(callback);
      },
    },
    fetch: (_input, init) => {
      tries.push(runtime.now());
      return answer(init?.signal);
    },
  });
  const wake = () => {
    for (const waker of [...wakers]) waker();
  };
  const outcome = (input: string, init?: RequestInit) => {
    const told: { status?: number; error?: string } = {};
    fetch(input, init).then(
      ({ status }) => Object.assign(told, { status }),
      (error: Error) => Object.assign(told, { error: error.message }),
    );
    return told;
  };
  return { runtime, wake, wakers, tries, outcome };
};

const away = () => Promise.reject(new TypeError("fetch failed"));
const hang = (signal: AbortSignal | null | undefined) =>
  new Promise<Response>((_, reject) => {
    signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
  });

describe("patientFetch", () => {
  it("renews a token within a second of Auth's return, however long it was away", async () => {
    let answer: () => Promise<Response> = away;
    const { runtime, outcome } = setUp(() => answer());
    const told = outcome(TOKEN);
    await runtime.advance(19_900);
    expect(told).toEqual({});
    answer = async () => new Response("{}");
    await runtime.advance(1_000);
    expect(told).toEqual({ status: 200 });
  });

  it("tries at once when the app wakes, and leaves nothing behind", async () => {
    let answer: () => Promise<Response> = async () => new Response(null, { status: 503 });
    const { runtime, wake, wakers, outcome } = setUp(() => answer());
    const told = outcome(TOKEN);
    await runtime.advance(10);
    answer = async () => new Response("{}");
    wake();
    await runtime.advance(0);
    expect(told).toEqual({ status: 200 });
    expect([wakers.size, runtime.pending()]).toEqual([0, 0]);
  });

  it("gives up a try that hung while the app slept", async () => {
    let answer = hang;
    const { runtime, wake, outcome } = setUp((signal) => answer(signal));
    const told = outcome(TOKEN);
    await runtime.advance(2_000);
    answer = async () => new Response("{}");
    wake();
    await runtime.advance(1_000);
    expect(told).toEqual({ status: 200 });
  });

  it("tells of the failure in the end, and of a refusal at once", async () => {
    const gone = setUp(away);
    const told = gone.outcome(TOKEN);
    await gone.runtime.advance(30_000);
    expect(told).toEqual({ error: "fetch failed" });
    expect(gone.tries.length).toBeLessThan(30);
    const refusing = setUp(async () => new Response("{}", { status: 400 }));
    const refused = refusing.outcome(TOKEN);
    await refusing.runtime.settle();
    expect([refused, refusing.tries.length]).toEqual([{ status: 400 }, 1]);
  });

  it("ends with its caller's signal", async () => {
    const { runtime, outcome, tries } = setUp(hang);
    const stop = new AbortController();
    const told = outcome(TOKEN, { signal: stop.signal });
    await runtime.settle();
    stop.abort();
    await runtime.advance(5_000);
    expect([told, tries.length]).toEqual([{ error: "aborted" }, 1]);
  });

  it("passes everything else through, once", async () => {
    const { runtime, outcome, tries } = setUp(away);
    const told = [
      outcome("http://podbase.test/rest/v1/rpc/find_jobs"),
      outcome("http://podbase.test/auth/v1/token?grant_type=password"),
    ];
    await runtime.settle();
    expect(told).toEqual([{ error: "fetch failed" }, { error: "fetch failed" }]);
    expect(tries).toHaveLength(2);
  });
});
