import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine } = await engineOfFile();

/** Shuts the endpoint while jobs are submitted, so that they wait. */
async function withEndpointShut(work: () => Promise<void>): Promise<void> {
  const endpoints = (enabled: boolean) => ({
    endpoints: { one: { providerId: "ep-one", enabled, maxInFlight: 1000 } },
  });
  await engine.configure(endpoints(false));
  await work();
  await engine.configure(endpoints(true));
}

describe("claiming", () => {
  it("hands no task out twice to eight connections at once", async () => {
    const user = await engine.user();
    await withEndpointShut(async () => {
      for (let n = 0; n < 40; n++) await engine.submit(user, ONE);
    });
    const rounds = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const mine: Claim[] = [];
        for (;;) {
          const [row] = await engine.pool<{ claims: Claim[] }[]>`select podbase.claim_tasks(3) as claims`;
          if (!row?.claims.length) return mine;
          mine.push(...row.claims);
        }
      }),
    );
    const jobs = rounds.flat().map((claim) => claim.job);
    expect(jobs).toHaveLength(40);
    expect(new Set(jobs).size).toBe(40);
  });

  it("serves a user with one job next, though another has fifty waiting", async () => {
    const [many, few] = [await engine.user(), await engine.user()];
    await withEndpointShut(async () => {
      for (let n = 0; n < 50; n++) await engine.submit(many, ONE);
      await engine.submit(few, ONE);
    });
    expect((await engine.claim(2)).map((claim) => claim.user)).toContain(few);
  });

  it("stays under the endpoint's cap and goes on when something ended", async () => {
    await engine.configure({ endpoints: { one: { providerId: "ep-one", maxInFlight: 2 } } });
    const user = await engine.user();
    const jobs = [];
    for (let n = 0; n < 4; n++) jobs.push(await engine.submit(user, ONE));
    const claimed = jobs.flatMap((job) => job.claims);
    expect(claimed).toHaveLength(2);
    expect(await engine.claim()).toEqual([]);
    const { claims } = await engine.complete(claimed[0]!);
    expect(claims).toHaveLength(1);
    await engine.configure({ endpoints: { one: { providerId: "ep-one" } } });
  });

  it("takes the route's next endpoint when the first is full or shut", async () => {
    await engine.configure({
      endpoints: { small: { providerId: "ep-small", maxInFlight: 1 }, big: { providerId: "ep-big" } },
      routes: { image: ["small", "big"] },
    });
    const user = await engine.user();
    const names = [];
    for (let n = 0; n < 2; n++) {
      const { claims } = await engine.submit(user, [{ name: "image", route: "image" }]);
      names.push(claims[0]?.endpoint.name);
    }
    expect(names).toEqual(["small", "big"]);
  });
});

describe("tick", () => {
  it("asks for reconcile only when something is due, and says so when Vault lacks the address", async () => {
    const wakes = async () =>
      (await engine.sql`select detail from podbase_private.heartbeats where name = 'wake'`)[0];
    await engine.tick();
    expect((await wakes())?.detail).not.toHaveProperty("dueSince");
    await withEndpointShut(async () => {
      await engine.submit(await engine.user(), ONE);
      await engine.tick();
      expect((await wakes())?.detail).not.toHaveProperty("dueSince");
    });
    await engine.tick();
    expect((await wakes())?.detail).toHaveProperty("dueSince");
    expect(await wakes()).toMatchObject({
      detail: { ok: false, missing: ["podbase_project_url", "podbase_secret_key"] },
    });
  });

  it("posts to the reconcile function with the key in the apikey header", async () => {
    await engine.sql`select vault.create_secret('http://127.0.0.1:9', 'podbase_project_url'),
                            vault.create_secret('sb_secret_x', 'podbase_secret_key')`;
    await engine.submit(await engine.user(), ONE);
    await engine.clock(60);
    await engine.tick();
    await engine.clock(400);
    await engine.tick();
    const posts = await engine.sql`select url, headers ->> 'apikey' as key from net.http_request_queue`;
    expect(posts[0]).toEqual({ url: "http://127.0.0.1:9/functions/v1/reconcile", key: "sb_secret_x" });
  });
});

describe("state machines", () => {
  it("refuse every move that is no row of their tables (PB004)", async () => {
    const { claims } = await engine.submit(await engine.user(), ONE);
    await engine.complete(claims[0]!);
    await expect(
      engine.sql`update podbase.tasks set status = 'queued', finished_at = null`,
    ).rejects.toMatchObject({
      code: "PB004",
    });
    await expect(engine.sql`update podbase_private.attempts set state = 'in_queue'`).rejects.toMatchObject({
      code: "PB004",
    });
    await expect(
      engine.sql`update podbase.jobs set status = 'processing', finished_at = null`,
    ).rejects.toMatchObject({ code: "PB004" });
  });
});
