import { randomUUID } from "node:crypto";
import { defineJob, Engine, RunPod } from "@podbase/core";
import { createSimulator, type Fault, type Simulator, virtualClock } from "@podbase/simulator";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { databaseOfFile } from "../chaos/database.ts";

const task = { route: "gpu", input: () => ({ n: 1 }), output: z.object({ text: z.string() }) };
const JOBS = {
  note: defineJob({ kind: "note", input: z.object({}), tasks: { text: task } }),
  checked: defineJob({ kind: "checked", input: z.object({}), tasks: { text: { ...task, confirm: true } } }),
};
const TICK_MS = 10_000;

const database = await databaseOfFile();
let simulator: Simulator;
beforeAll(() =>
  database.query(`select vault.create_secret('http://p.test', 'podbase_project_url'),
                         vault.create_secret('sb_secret_x', 'podbase_secret_key')`),
);
afterEach(() => simulator.stop());

/** The engine with the real SQL and RunPod's twin, under one virtual clock. All webhooks are lost but those of `deliver`. */
async function open(options: { workersMax?: number; coldStartMs?: number; faults?: Fault[] } = {}) {
  const clock = virtualClock({ startMs: Date.now() });
  database.now = () => clock.now();
  const user = randomUUID();
  await database.query("insert into auth.users (id, email) values ($1, $2)", user, `${user}@x`);
  await database.query("delete from podbase.jobs");
  for (const table of ["orphans", "alerts", "endpoint_health", "route_pace", "heartbeats"]) {
    await database.query(`delete from podbase_private.${table}`);
  }
  await database.query("update podbase_private.call_budgets set used_to = '-infinity'");
  await database.call("configure", { endpoints: { gpu: { providerId: "gpu" } }, routes: { gpu: ["gpu"] } });
  await database.query(`update podbase_private.endpoints set breaker = 'closed', submit_failures = 0,
    run_failures = 0, breaker_trips = 0, breaker_until = null`);

  let webhook = "";
  simulator = await createSimulator({
    apiKey: "simulator",
    seed: 1,
    clock,
    faults: options.faults ?? [],
    webhook: {
      post: async (url) => {
        webhook = url;
        return 200;
      },
    },
    endpoints: {
      gpu: {
        handler: async () => ({ text: "done" }),
        coldStartMs: options.coldStartMs ?? 5000,
        workersMax: options.workersMax ?? 1,
      },
    },
  });

  /** The keys that RunPod takes at the moment. */
  const taken = new Set(["old"]);
  const fetchWithKey: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    if (!taken.has(headers.get("authorization")?.replace("Bearer ", "") ?? "")) {
      return new Response("unauthorized", { status: 401 });
    }
    headers.set("authorization", "Bearer simulator");
    return simulator.fetch(input as string, { ...init, headers });
  };
  const engine = new Engine({
    jobs: JOBS,
    database: database.port(),
    storage: { signUpload: async () => "", remove: async () => {} },
    runpod: new RunPod({ apiKey: "old", nextApiKey: "new", fetch: fetchWithKey, clock }),
    webhookUrl: "http://p.test/w",
    clock,
  });

  /** Lets time pass with cron's ticks, each followed by a pass if it asked for one. Gives how many passes. */
  const live = async (seconds: number) => {
    let passes = 0;
    for (let passed = 0; passed < seconds; passed += TICK_MS / 1000) {
      await clock.advance(TICK_MS);
      if ((await database.tick()) === 0) continue;
      await engine.pass(clock.now() + 1);
      passes += 1;
    }
    return passes;
  };
  const request = async (kind: keyof typeof JOBS = "note") => {
    const { job, claims } = await engine.request(user, kind, {});
    await engine.dispatch(claims);
    return job.id;
  };
  const read = async (job: string) => {
    const [row] = await database.query<{ status: string; phase: string; code: string | null }>(
      "select status, phase, notice ->> 'code' as code from podbase.jobs where id = $1",
      job,
    );
    return row;
  };
  const alerts = async () =>
    (
      await database.query<{ code: string }>("select distinct code from podbase_private.alerts order by 1")
    ).map(({ code }) => code);
  return { clock, engine, taken, live, request, read, alerts, webhook: () => webhook };
}

describe("who waits is told why, and the wait ends by itself", () => {
  it("while RunPod has no machine", async () => {
    const { live, request, read } = await open({
      faults: [{ fault: "worker_throttle", forMs: 60_000, times: 1 }],
      coldStartMs: 60_000,
    });
    const job = await request();
    expect(await read(job)).toMatchObject({ phase: "waiting_for_worker", code: "warming_up" });
    await live(40);
    expect(await read(job)).toMatchObject({ phase: "waiting_for_worker", code: "throttled" });
    await live(70);
    expect(await read(job)).toMatchObject({ phase: "waiting_for_worker", code: "worker_starting" });
    await live(120);
    expect(await read(job)).toMatchObject({ status: "completed", code: null });
  });

  it("while the endpoint has no workers at all, which also raises an alert", async () => {
    const { live, request, read, alerts } = await open({ workersMax: 0 });
    const job = await request();
    const passes = await live(300);
    expect(await read(job)).toMatchObject({ status: "processing", code: "no_workers" });
    expect(await alerts()).toEqual(["no_workers"]);
    // Its polls alone would take six.
    expect(passes).toBeLessThanOrEqual(14);
    const { status } = await simulator.fetch(`${simulator.managementUrl}/serverless/gpu`, {
      method: "PATCH",
      headers: { authorization: "Bearer simulator", "content-type": "application/json" },
      body: JSON.stringify({ workers: { max: 1 } }),
    });
    expect(status).toBe(200);
    await live(300);
    expect(await read(job)).toMatchObject({ status: "completed" });
  });
});

describe("RunPod's key", () => {
  it("is changed without a gap: work under way and new work complete on the next one", async () => {
    const { taken, live, request, read, alerts } = await open();
    const before = await request();
    taken.delete("old");
    taken.add("new");
    const after = await request();
    await live(120);
    expect(await read(before)).toMatchObject({ status: "completed" });
    expect(await read(after)).toMatchObject({ status: "completed" });
    expect(await alerts()).toEqual([]);
    const attempts = await database.query("select state, failure_class from podbase_private.attempts");
    expect(attempts).toEqual(Array(2).fill({ state: "completed", failure_class: null }));
  });

  it("that is refused for a while loses nothing: somebody is alerted, and the work goes on with the right one", async () => {
    const { taken, live, request, read, alerts } = await open();
    const before = await request();
    taken.clear();
    const after = await request();
    await live(20 * 60);
    expect(await alerts()).toContain("auth");
    expect(await read(before)).toMatchObject({ status: "processing" });
    expect(await read(after)).toMatchObject({ status: "processing", phase: "retrying" });
    taken.add("new");
    await live(15 * 60);
    expect(await read(before)).toMatchObject({ status: "completed" });
    expect(await read(after)).toMatchObject({ status: "completed" });
    const [lost] = await database.query<{ n: string }>(
      "select count(*) as n from podbase_private.attempts where state = 'lost'",
    );
    expect(lost?.n).toBe("0");
  });
});

it("a webhook whose URL leaked cannot forge the result of a task that asks to have it confirmed", async () => {
  const { clock, engine, request, read, webhook, live } = await open();
  const first = await request("checked");
  await live(20);
  const token = new URL(webhook()).searchParams.get("token") as string;
  const [attempt] = await database.query<{ id: string }>("select id from podbase_private.attempts");
  const about = { attempt: attempt!.id, token, kind: "checked", task: "text", source: "webhook" } as const;
  const forged = await engine.report({ ...about, status: "COMPLETED", output: { text: "forged" } });
  expect(forged.verdict).toBe("unchanged");
  await forged.dispatched;
  await clock.advance(0);
  expect(await read(first)).toMatchObject({ status: "completed" });
  const [task] = await database.query("select output from podbase.tasks where job_id = $1", first);
  expect(task).toEqual({ output: { text: "done" } });
});
