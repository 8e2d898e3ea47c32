/** What submit_job and configure refuse of what they are given, each with the path to it. */
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine, user } = await engineOfFile();
const BAD_NAMES = "artifacts whose name leads elsewhere";

/** A request whose only task says more. */
const task = (more: object) => ({ plan: { tasks: [{ ...ONE[0], ...more }] } });
const reuse = (reuse: unknown) => ({ plan: { tasks: ONE, reuse } });

describe("a request with", () => {
  it.each<[string, object, string]>([
    ["an unknown key", { prio: 1 }, "prio"],
    ["a plan that is no object", { plan: "text" }, "plan"],
    ["an unknown key in its plan", { plan: { tasks: ONE, retries: 3 } }, "plan.retries"],
    ["a task that is none", { plan: { tasks: [...ONE, "audio"] } }, "plan.tasks.1"],
    ["an unknown key in a task", task({ afterwards: [] }), "plan.tasks.0.afterwards"],
    ["a name twice", { plan: { tasks: [...ONE, ...ONE] } }, "plan.tasks.1.name"],
    ["upstreams that are no list", task({ after: "audio" }), "plan.tasks.0.after"],
    ["an upstream that is no name", task({ after: [null] }), "plan.tasks.0.after"],
    ["an upstream that is not there", task({ after: ["audio"] }), "plan.tasks.0.after"],
    ["artifacts that are a list", task({ artifacts: ["file"] }), "plan.tasks.0.artifacts"],
    ["artifacts without a type", task({ artifacts: { file: 1 } }), "plan.tasks.0.artifacts"],
    [BAD_NAMES, task({ artifacts: { "../file": "text/plain" } }), "plan.tasks.0.artifacts"],
    ["perhaps optional tasks", task({ optional: "perhaps" }), "plan.tasks.0.optional"],
    ["an unknown submit policy", task({ submitPolicy: "never" }), "plan.tasks.0.submitPolicy"],
    ["half an attempt", task({ maxAttempts: 1.5 }), "plan.tasks.0.maxAttempts"],
    ["attempts in words", task({ maxAttempts: "three" }), "plan.tasks.0.maxAttempts"],
    ["routes for failures as a list", task({ reroute: ["gpu"] }), "plan.tasks.0.reroute"],
    ["a route for no failure", task({ reroute: { oom: "gpu" } }), "plan.tasks.0.reroute.oom"],
    ["a map over nothing", task({ map: { over: "audio", path: [] } }), "plan.tasks.0.map.over"],
    ["a map without a path", task({ map: { over: "input" } }), "plan.tasks.0.map.path"],
    ["an unknown key in a map", task({ map: { over: "input", path: [], max: 5 } }), "plan.tasks.0.map.max"],
    ["an unknown key in its reuse", reuse({ scope: "user", ttlMs: 1, ttl: 1 }), "plan.reuse.ttl"],
    ["a reuse until for ever", reuse({ scope: "user", ttlMs: 1e300 }), "plan.reuse"],
    ["a kind that is no text", { kind: 5 }, "kind"],
    ["a key that is no text", { idempotencyKey: {} }, "idempotencyKey"],
    ["half a priority", { priority: 0.5 }, "priority"],
    ["a time that is none", { runAt: "soon" }, "runAt"],
  ])("%s is refused (PB003), alone and among many, and its path is told", async (_, more, detail) => {
    const refusal = { code: "PB003", detail };
    await expect(engine.submit(user, ONE, more)).rejects.toMatchObject(refusal);
    const request = { user, kind: "reading", input: {}, plan: { tasks: ONE }, ...more };
    await expect(
      engine.sql`select podbase.submit_jobs(${engine.sql.json([request] as never)})`,
    ).rejects.toMatchObject({ code: "PB003" });
    expect(await engine.sql`select from podbase.jobs`).toHaveLength(0);
  });

  it("a route that nobody serves tells where it stands (PB002)", async () => {
    for (const [more, detail] of [
      [task({ route: "nowhere" }), "plan.tasks.0.route"],
      [task({ reroute: { out_of_memory: "nowhere" } }), "plan.tasks.0.reroute.out_of_memory"],
    ] as const) {
      await expect(engine.submit(user, ONE, more)).rejects.toMatchObject({ code: "PB002", detail });
    }
  });

  it("a plan over 1 MiB is refused (PB007)", async () => {
    const artifacts = { file: "x".repeat(1024 * 1024) };
    await expect(engine.submit(user, ONE, task({ artifacts }))).rejects.toMatchObject({ code: "PB007" });
  });
});

describe("configure", () => {
  it.each<[string, unknown, string]>([
    ["what is no object", [], ""],
    ["an unknown part", { endpoint: {} }, "endpoint"],
    [
      "an unknown key of an endpoint",
      { endpoints: { x: { providerId: "x", maxInflight: 1 } } },
      "endpoints.x.maxInflight",
    ],
    ["a route that is no list", { routes: { gpu: "one" } }, "routes.gpu"],
    ["an unknown setting", { settings: { keep_everything: true } }, "settings.keep_everything"],
    ["an unknown limit", { users: { someone: { limit: 1 } } }, "users.someone.limit"],
  ])("refuses %s (PB003) with its path", async (_, config, detail) => {
    await expect(engine.configure(config)).rejects.toMatchObject({ code: "PB003", detail });
  });

  it("refuses times before now to keep things for (23514)", async () => {
    await expect(engine.configure({ settings: { keep_jobs: "-1 day" } })).rejects.toMatchObject({
      code: "23514",
    });
  });

  it("refuses to keep things or to let them age for longer than times reach back (23514)", async () => {
    for (const setting of ["keep_jobs", "keep_payloads", "keep_events", "ageing_after"]) {
      await expect(engine.configure({ settings: { [setting]: "10000 years" } })).rejects.toMatchObject({
        code: "23514",
      });
      await engine.configure({ settings: { [setting]: "1000 years" } });
    }
    await engine.submit(user, ONE);
    await engine.claim();
    await engine.tick();
  });
});
