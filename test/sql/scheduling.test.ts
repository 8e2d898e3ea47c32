import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine } = await engineOfFile((engine) =>
  engine.configure({
    endpoints: { one: { providerId: "ep-one" } },
    settings: { max_in_flight_per_user: null, breaker_threshold: 5 },
  }),
);

const open = (enabled: boolean, more: object = {}) =>
  engine.configure({ endpoints: { one: { providerId: "ep-one", enabled, ...more } } });
const users = (claims: Claim[]) => claims.map((claim) => claim.user);

describe("priority", () => {
  it("goes first, but every tenth place is for who has waited longest", async () => {
    await open(false);
    const [low, high] = [await engine.user(), await engine.user()];
    await engine.submit(low, ONE);
    for (let n = 0; n < 12; n++) await engine.submit(high, ONE, { priority: 5 });
    await open(true);
    expect(users(await engine.claim(2))).toEqual([high, high]);
    await engine.clock(601);
    expect(users(await engine.claim(10))).toContain(low);
  });
});

describe("weights", () => {
  it("give a user of weight 3 three places for another's one", async () => {
    const [heavy, light] = [await engine.user(), await engine.user()];
    await engine.configure({ users: { [heavy]: { weight: 3 } } });
    await open(false);
    for (let n = 0; n < 12; n++) for (const user of [light, heavy]) await engine.submit(user, ONE);
    await open(true);
    const served = users(await engine.claim(12));
    expect(served.filter((user) => user === heavy).length).toBeGreaterThanOrEqual(8);
    expect(served).toContain(light);
  });
});

describe("a user's limit", () => {
  it("is never exceeded, and its next task starts when one has ended", async () => {
    await engine.configure({ settings: { max_in_flight_per_user: 2 } });
    const user = await engine.user();
    const claims = [];
    for (let n = 0; n < 5; n++) claims.push(...(await engine.submit(user, ONE)).claims);
    expect(claims).toHaveLength(2);
    expect(await engine.claim()).toEqual([]);
    expect((await engine.submit(await engine.user(), ONE)).claims).toHaveLength(1);
    await engine.complete(claims[0]!);
    await engine.complete(claims[1]!);
    const [live] = await engine.sql`
      select count(*)::int as n from podbase_private.attempts a join podbase.jobs j on j.id = a.job_id
      where j.user_id = ${user} and a.next_check_at is not null`;
    expect(live!.n).toBe(2);
  });

  it("keeps nobody waiting behind a hundred others who have reached theirs", async () => {
    await engine.configure({ settings: { max_in_flight_per_user: 1 } });
    await open(true, { maxInFlight: 1000, maxRunsPer10s: 10_000 });
    const people = [];
    for (let n = 0; n < 101; n++) people.push(await engine.user());
    const requests = people.map((user) => ({ user, kind: "reading", input: {}, plan: { tasks: ONE } }));
    await engine.sql`select podbase.submit_jobs(${engine.sql.json([...requests, ...requests])})`;
    const claims = [];
    for (let call = 0; call < 20; call++) claims.push(...(await engine.claim(200)));
    expect(claims).toHaveLength(101);
    expect(new Set(users(claims)).size).toBe(101);
  });
});

describe("an endpoint's rate", () => {
  it("holds over any ten seconds, and comes back with time", async () => {
    await open(false);
    const user = await engine.user();
    for (let n = 0; n < 60; n++) await engine.submit(user, ONE);
    // Fixed moments: what the machine takes between them must not count.
    const from = Date.now();
    await engine.clock(0);
    await open(true, { maxRunsPer10s: 30 });
    let claimed = 0;
    for (let second = 0; second <= 10; second++) {
      const at = new Date(from + 1000 * second).toISOString();
      await engine.sql`select set_config('podbase.now', ${at}, false)`;
      claimed += (await engine.claim(100)).length;
    }
    expect(claimed).toBeGreaterThan(20);
    expect(claimed).toBeLessThanOrEqual(30);
  });
});

describe("a failure", () => {
  const next = async (job: string): Promise<Claim> => {
    await engine.clock(900);
    await engine.tick();
    return (await engine.claim()).find((claim) => claim.job === job)!;
  };

  it("of a class that names another endpoint goes there, and back when all have failed it", async () => {
    await engine.configure({
      endpoints: { first: { providerId: "ep-1" }, second: { providerId: "ep-2" } },
      routes: { image: ["first", "second"] },
    });
    const { job, claims } = await engine.submit(await engine.user(), [{ name: "image", route: "image" }]);
    expect(claims[0]!.endpoint.name).toBe("first");
    await engine.report(claims[0]!, { status: "FAILED", error: "job timed out after 1 retries" });
    const second = await next(job.id);
    expect(second.endpoint.name).toBe("second");
    await engine.report(second, { status: "FAILED", error: "job timed out after 1 retries" });
    await engine.clock(2000);
    await engine.tick();
    expect((await engine.claim())[0]!.endpoint.name).toBe("first");
  });

  it.each([
    ["taken from its route", { routes: { image: ["first"] } }],
    ["shut", { endpoints: { second: { providerId: "ep-2", enabled: false } } }],
  ])("goes back, too, when the other endpoint is %s", async (_, change) => {
    await engine.configure({
      endpoints: { first: { providerId: "ep-1" }, second: { providerId: "ep-2" } },
      routes: { image: ["first", "second"] },
    });
    const { job, claims } = await engine.submit(await engine.user(), [{ name: "image", route: "image" }]);
    await engine.report(claims[0]!, { status: "FAILED", error: "job timed out after 1 retries" });
    await engine.configure(change);
    expect((await next(job.id)).endpoint.name).toBe("first");
  });

  it("of memory goes to the route that the task names for it", async () => {
    await engine.configure({ endpoints: { big: { providerId: "ep-big" } }, routes: { big: ["big"] } });
    const { job, claims } = await engine.submit(await engine.user(), [
      { name: "text", route: "gpu", reroute: { out_of_memory: "big" } } as (typeof ONE)[0],
    ]);
    await engine.report(claims[0]!, { status: "FAILED", error: "CUDA out of memory" });
    expect((await next(job.id)).endpoint.name).toBe("big");
  });

  it("waits a random time under a limit that doubles, at most the cap", async () => {
    const { job, claims } = await engine.submit(await engine.user(), [
      { ...ONE[0]!, maxAttempts: 100 } as never,
    ]);
    await engine.sql`update podbase_private.task_schedule set attempts_made = 60 where job_id = ${job.id}`;
    await engine.clock(0);
    await engine.report(claims[0]!, { status: "FAILED", error: "boom" });
    const [row] = await engine.sql`
      select extract(epoch from run_at - podbase_private.now())::float as wait
      from podbase_private.task_schedule where job_id = ${job.id}`;
    expect(row!.wait).toBeGreaterThanOrEqual(0);
    expect(row!.wait).toBeLessThanOrEqual(300);
  });
});

describe("queue_position", () => {
  it("counts who is served before, and says nothing once nothing waits", async () => {
    await open(false);
    const [one, other] = [await engine.user(), await engine.user()];
    for (let n = 0; n < 3; n++) await engine.submit(one, ONE);
    const { job } = await engine.submit(one, ONE);
    await engine.submit(other, ONE);
    const position = async () =>
      (await engine.as(one, (tx) => tx`select podbase.queue_position(${job.id}) as p`))[0]!.p;
    expect(await position()).toEqual({ position: 4, capped: false });
    await open(true);
    await engine.claim();
    expect(await position()).toBeNull();
  });
});

describe("submit_jobs", () => {
  it("makes many jobs in one call, in order, some of which were there, and all are claimable fairly", async () => {
    const [many, few] = [await engine.user(), await engine.user()];
    const request = (user: string, more: object = {}) => ({
      user,
      kind: "reading",
      input: { n: 1 },
      plan: { tasks: ONE },
      ...more,
    });
    const { job } = await engine.submit(many, ONE, { idempotencyKey: "first" });
    const requests = [
      ...Array.from({ length: 300 }, () => request(many)),
      request(many, { idempotencyKey: "first" }),
      request(few),
    ];
    const [row] = await engine.sql`select podbase.submit_jobs(${engine.sql.json(requests)}) as made`;
    expect(row!.made).toHaveLength(302);
    expect(row!.made[300]).toEqual({ job: job.id, created: false });
    expect(users(await engine.claim(3))).toContain(few);
  });

  it("makes none when one is refused, and takes no more than 10,000", async () => {
    const user = await engine.user();
    const good = { user, kind: "reading", input: {}, plan: { tasks: ONE } };
    const bad = { ...good, plan: { tasks: [{ name: "text", route: "nowhere" }] } };
    const submit = (requests: object[]) =>
      engine.sql`select podbase.submit_jobs(${engine.sql.json(requests as never)})`;
    await expect(submit([good, bad])).rejects.toMatchObject({ code: "PB002" });
    await expect(submit([good, { ...good, priority: 1000 }])).rejects.toMatchObject({ code: "PB003" });
    await expect(submit(Array.from({ length: 10_001 }, () => good))).rejects.toMatchObject({ code: "PB003" });
    expect(await engine.sql`select from podbase.jobs where user_id = ${user}`).toHaveLength(0);
  });
});
