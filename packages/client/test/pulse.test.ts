import { describe, expect, it } from "vitest";
import { createPulse, type PulsePorts } from "../src/pulse.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { jobId } from "./support/rows.ts";
import { setUpLive } from "./support/set-up.ts";

/** A socket that answers heartbeats after a while, or never, and drops at the second without an answer to the first. */
const createSocket = (runtime = createFakeRuntime()) => {
  const socket = {
    worker: false,
    answersAfterMs: 0 as number | null,
    beats: 0,
    drops: 0,
    pendingHeartbeatRef: null as string | null,
    isConnected: () => true,
    async sendHeartbeat() {
      if (socket.pendingHeartbeatRef !== null) {
        socket.drops++;
        socket.pendingHeartbeatRef = null;
        return;
      }
      const ref = String(++socket.beats);
      socket.pendingHeartbeatRef = ref;
      if (socket.answersAfterMs === null) return;
      runtime.after(socket.answersAfterMs, () => {
        if (socket.pendingHeartbeatRef === ref) socket.pendingHeartbeatRef = null;
      });
    },
  };
  return { runtime, socket };
};

const setUp = (quiet: number | null = 600) => {
  const { runtime, socket } = createSocket();
  const told: string[] = [];
  const looks = { quiet };
  const pulse = createPulse({
    realtime: socket as unknown as PulsePorts["realtime"],
    runtime,
    quietMs: () => looks.quiet,
    onDoubt: () => told.push("doubt"),
    onAnswer: () => told.push("answer"),
  });
  pulse.start();
  return { runtime, socket, told, looks, pulse };
};

describe("the pulse of a socket", () => {
  it("doubts a dead one within a second, and gives it up a while later", async () => {
    const { runtime, socket, told } = setUp();
    await runtime.advance(5_000);
    expect([told, socket.drops]).toEqual([[], 0]);
    socket.answersAfterMs = null;
    await runtime.advance(1_000);
    expect([told, socket.drops]).toEqual([["doubt"], 0]);
    await runtime.advance(2_000);
    expect([told, socket.drops]).toEqual([["doubt"], 1]);
  });

  it("is more patient with a slow one after each doubt", async () => {
    const { runtime, socket, told } = setUp();
    socket.answersAfterMs = 700;
    await runtime.advance(60_000);
    expect(told).toEqual(["doubt", "answer"]);
    expect(socket.drops).toBe(0);
    socket.answersAfterMs = 1_900;
    await runtime.advance(60_000);
    expect(told).toEqual(["doubt", "answer", "doubt", "answer", "doubt", "answer"]);
    expect(socket.drops).toBe(0);
  });

  it("asks less often while nothing is worked on, at once more often when it is, and not while nobody looks", async () => {
    const { runtime, socket, looks, pulse } = setUp(2_000);
    const beatsIn = async (ms: number) => {
      const before = socket.beats;
      await runtime.advance(ms);
      return socket.beats - before;
    };
    expect(await beatsIn(20_000)).toBe(10);
    looks.quiet = 600;
    pulse.reconsider();
    expect(await beatsIn(600)).toBe(1);
    looks.quiet = null;
    expect(await beatsIn(10_000)).toBe(0);
    pulse.stop();
    expect(runtime.pending()).toBe(0);
  });

  it("does not ask a socket that talks", async () => {
    const { runtime, socket, pulse } = setUp();
    for (let n = 0; n < 20; n++) {
      await runtime.advance(400);
      pulse.heard();
    }
    expect(socket.beats).toBe(0);
  });
});

describe("a watch on an open socket", () => {
  /** Puts a socket of ours under a client of supabase-js. */
  const setUpOnSocket = async () => {
    const live = await setUpLive();
    const { socket } = createSocket(live.runtime);
    Object.defineProperties(live.supabase.client.realtime, Object.getOwnPropertyDescriptors(socket));
    await live.runtime.advance(5_000);
    return { ...live, socket: live.supabase.client.realtime as unknown as typeof socket, own: socket };
  };

  it("shows within a second what a silent one did not tell while work goes on, and costs nothing while it talks", async () => {
    const { supabase, runtime, watched, own, socket, podbase } = await setUpOnSocket();
    supabase.changeAndTell(1, { status: "processing", phase: "running" });
    await runtime.advance(10_000);
    const before = supabase.reads().length;
    socket.sendHeartbeat = async () => {
      own.pendingHeartbeatRef = "unanswered";
      socket.pendingHeartbeatRef = "unanswered";
    };
    supabase.database.change(jobId(1), { phase: "retrying" });
    await runtime.advance(1_000);
    expect(watched.phases.at(-1)).toBe("retrying");
    expect(podbase.connection).toBe("polling");
    expect(supabase.reads()).toHaveLength(before + 1);
  });

  it("leaves one in peace where each question costs a token, as by a clock that is hours ahead", async () => {
    const { supabase, runtime, own } = await setUpOnSocket();
    supabase.renew();
    supabase.renew();
    await runtime.advance(25_000);
    const before = own.beats;
    await runtime.advance(60_000);
    expect(own.beats - before).toBeLessThanOrEqual(3);
  });
});
