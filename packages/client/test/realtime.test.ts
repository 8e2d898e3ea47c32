import { createClient } from "@supabase/supabase-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import WebSocket from "ws";
import { createPodbase, type Job, type PodbaseOptions } from "../src/index.ts";
import { systemRuntime } from "../src/runtime.ts";
import { createFakeDatabase } from "./support/fake-database.ts";
import { json } from "./support/fake-supabase.ts";
import { startRealtimeServer } from "./support/realtime-server.ts";
import { jobId, jobRow } from "./support/rows.ts";

// The real supabase-js on a real socket: what the client relies on when channels close and connections drop.

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A client that watches job 1 without polling; its own pauses are a hundred times shorter. */
const setUp = async (options: PodbaseOptions = {}) => {
  const server = await startRealtimeServer();
  cleanUps.push(server.stop);
  const database = createFakeDatabase();
  database.insert(jobRow(1));
  const supabase = createClient(server.url, "sb_publishable_test", {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: async () => json([...database.rows.values()]) },
    realtime: { transport: WebSocket as never },
  });
  cleanUps.push(() => supabase.realtime.disconnect());
  const session = { user: { id: "ada" }, access_token: "token of ada" };
  Object.assign(supabase.auth, { getSession: async () => ({ data: { session }, error: null }) });
  const runtime = {
    ...systemRuntime,
    after: (ms: number, call: () => void) => systemRuntime.after(ms / 100, call),
  };
  const podbase = createPodbase(supabase, { runtime, poll: false, ...options });
  cleanUps.push(async () => podbase.close());

  const seen: Job["phase"][] = [];
  let onPhase = () => {};
  const { unsubscribe } = podbase.jobs.watch(jobId(1), (job) => {
    seen.push(job.phase);
    onPhase();
  });
  const shown = (phase: Job["phase"]) =>
    new Promise<void>((resolve) => {
      onPhase = () => seen.at(-1) === phase && resolve();
      onPhase();
    });
  const live = () =>
    new Promise<void>((resolve) => {
      if (podbase.connection === "live") return resolve();
      podbase.onConnection((connection) => connection === "live" && resolve());
    });
  return { server, database, supabase, podbase, shown, live, unsubscribe };
};

describe("a client on the real supabase-js", () => {
  it("joins its user's private topic with the user's token and hears broadcasts", async () => {
    const { server, database, shown, live } = await setUp();
    await live();
    expect(server.joins[0]?.topic).toBe("realtime:podbase:ada");
    expect(server.joins[0]?.payload).toMatchObject({
      access_token: "token of ada",
      config: { private: true, broadcast: { replication_ready: true } },
    });
    for (const message of database.change(jobId(1), { phase: "running" })) server.broadcast(message);
    await shown("running");
  });

  it("joins again after the server closed the channel, and finds what it missed", async () => {
    const { server, database, shown, live } = await setUp();
    await live();
    server.closeChannels();
    database.change(jobId(1), { phase: "retrying" });
    await server.joined(2);
    await shown("retrying");
    for (const message of database.change(jobId(1), { phase: "running" })) server.broadcast(message);
    await shown("running");
  });

  it("hears again after the connection dropped, and finds what it missed", async () => {
    const { server, database, shown, live } = await setUp();
    await live();
    server.drop();
    database.change(jobId(1), { phase: "retrying" });
    await server.joined(2);
    await shown("retrying");
  });

  it("finds out by itself that its open connection is dead, and makes another", async () => {
    const { server, database, shown, live } = await setUp();
    await live();
    server.deaden();
    database.change(jobId(1), { phase: "retrying" });
    await shown("retrying");
    await live();
    for (const message of database.change(jobId(1), { phase: "running" })) server.broadcast(message);
    await shown("running");
  });

  it("lets a dead connection be while nobody looks, and finds it when the app wakes", async () => {
    let hidden = false;
    let wake = () => {};
    const lifecycle = {
      isHidden: () => hidden,
      onWake(callback: () => void) {
        wake = callback;
        return () => {};
      },
    };
    const { server, database, supabase, shown, live } = await setUp({ lifecycle });
    await live();
    hidden = true;
    server.deaden();
    const beats = vi.spyOn(supabase.realtime, "sendHeartbeat");
    await new Promise((resolve) => systemRuntime.after(100, () => resolve(null)));
    const slept = beats.mock.calls.length;
    expect(slept).toBeLessThanOrEqual(1);
    hidden = false;
    wake();
    await server.joined(2);
    await live();
    for (const message of database.change(jobId(1), { phase: "running" })) server.broadcast(message);
    await shown("running");
    expect(beats.mock.calls.length).toBeGreaterThan(slept);
  });

  it("leaves the topic after the last watch and joins it again with the next", async () => {
    const { server, podbase, live, unsubscribe } = await setUp();
    await live();
    const left = new Promise<void>((resolve) => {
      podbase.onConnection((connection) => connection === "connecting" && resolve());
    });
    unsubscribe();
    await left;
    podbase.jobs.watch(jobId(1), () => {});
    await server.joined(2);
    expect(server.leaves).toEqual(["realtime:podbase:ada"]);
  });

  it("connects again on resync when the app had disconnected the socket", async () => {
    const { server, supabase, podbase, live } = await setUp();
    await live();
    await supabase.realtime.disconnect();
    podbase.resync();
    await server.joined(2);
  });
});
