/** Endpoints that nothing may be sent to: because they failed too often in a row, or are not enabled. */
import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, WITH_FILE } from "./harness.ts";

const { engine } = await engineOfFile((engine) =>
  engine.configure({ endpoints: { one: { providerId: "ep-one" } }, settings: { breaker_threshold: 5 } }),
);

const open = (enabled: boolean) =>
  engine.configure({ endpoints: { one: { providerId: "ep-one", enabled } } });

describe("an endpoint's breaker", () => {
  const refuse = async (claim: Claim) =>
    engine.submission(claim, { outcome: "rejected", class: "unknown_endpoint", error: "404" });

  it("opens after failures in a row, lets one task try, closes when that is accepted, and tells", async () => {
    await engine.configure({ settings: { breaker_threshold: 3 } });
    const user = await engine.user();
    for (let n = 0; n < 3; n++) await refuse((await engine.submit(user, ONE)).claims[0]!);
    const [waiting] = [await engine.submit(user, ONE), await engine.submit(user, ONE)];
    expect(waiting.claims).toEqual([]);
    expect(await engine.sql`select code, subject from podbase_private.alerts order by id`).toMatchObject([
      { code: "unknown_endpoint", subject: "one" },
      { code: "breaker_open", subject: "one" },
    ]);
    await engine.clock(11);
    const trial = await engine.claim();
    expect(trial).toHaveLength(1);
    expect(await engine.claim()).toEqual([]);
    await engine.accepted(...trial);
    expect((await engine.claim()).length).toBeGreaterThan(0);
  });

  it("pauses twice as long when the trial fails too", async () => {
    await engine.configure({ settings: { breaker_threshold: 2 } });
    const user = await engine.user();
    for (let n = 0; n < 2; n++) await refuse((await engine.submit(user, ONE)).claims[0]!);
    await engine.submit(user, ONE);
    await engine.clock(11);
    await refuse((await engine.claim())[0]!);
    await engine.submit(user, ONE);
    await engine.clock(25);
    expect(await engine.claim()).toEqual([]);
    await engine.clock(33);
    expect(await engine.claim()).toHaveLength(1);
  });

  it("hears of work that RunPod lost, unless its files are there, and of no silence that may be a cold start", async () => {
    await engine.configure({ settings: { breaker_threshold: 2 } });
    const user = await engine.user();
    const breaker = async () =>
      (
        await engine.sql`select breaker, run_failures, submit_failures from podbase_private.endpoints
                        where name = 'one'`
      )[0];
    const calm = { breaker: "closed", run_failures: 0, submit_failures: 0 };
    const forgotten = async (uploaded: boolean) => {
      const { job, claims } = await engine.submit(user, WITH_FILE);
      await engine.accepted(claims[0]!);
      if (uploaded) await engine.upload(user, claims[0]!, "text", 3);
      return { job: job.id, claim: claims[0]! };
    };
    const kept = [await forgotten(true), await forgotten(true)];
    const lost = [await forgotten(false), await forgotten(false)];
    const silent = (await engine.submit(user, ONE)).claims[0]!;
    const unheard = (await engine.submit(user, ONE)).claims[0]!;
    await engine.clock(100);
    for (const { job, claim } of kept) {
      await engine.report(claim, { source: "poll", status: "NOT_FOUND" });
      expect(await engine.job(job)).toMatchObject({ status: "completed" });
    }
    await engine.tick();
    await engine.clock(1000);
    await engine.tick();
    for (const claim of [silent, unheard])
      expect(await engine.attempt(claim)).toMatchObject({ failure_class: "unconfirmed" });
    expect(await breaker()).toEqual(calm);
    for (const { claim } of lost) await engine.report(claim, { source: "poll", status: "NOT_FOUND" });
    expect(await breaker()).toMatchObject({ breaker: "open", run_failures: 2 });
  });
});

describe("a route without an enabled endpoint", () => {
  const alerts = () => engine.sql`
    select code, subject, detail from podbase_private.alerts where code = 'no_endpoint' order by subject`;
  const tickAt = async (seconds: number) => {
    await engine.clock(seconds);
    await engine.tick();
  };
  const route = (name: string) => [{ name: "text", route: name }];

  it("raises an alert when somebody has waited there for two minutes, once a minute, until it has one", async () => {
    const [first, second] = [{ providerId: "ep-1" }, { providerId: "ep-2" }];
    const set = (enabled: boolean, routes: object) =>
      engine.configure({
        endpoints: { first: { ...first, enabled }, second: { ...second, enabled } },
        routes,
      });
    await set(false, {
      shut: ["first", "second"],
      emptied: ["one"],
      fine: ["first", "one"],
      unused: ["first"],
    });
    const user = await engine.user();
    await engine.submit(user, route("shut"));
    await engine.submit(user, route("shut"), { priority: 9 });
    await open(false);
    await engine.submit(user, route("fine"));
    await engine.submit(user, route("emptied"));
    await set(false, { emptied: [] });
    await open(true);
    await tickAt(100);
    expect(await alerts()).toEqual([]);
    const both = [
      { code: "no_endpoint", subject: "emptied", detail: { since: expect.any(String), disabled: [] } },
      {
        code: "no_endpoint",
        subject: "shut",
        detail: { since: expect.any(String), disabled: ["first", "second"] },
      },
    ];
    await tickAt(130);
    expect(await alerts()).toEqual(both);
    await tickAt(140);
    expect(await alerts()).toEqual(both);
    await tickAt(200);
    expect(await alerts()).toHaveLength(4);
    await set(true, { emptied: ["one"] });
    await tickAt(300);
    expect(await alerts()).toHaveLength(4);
    expect(await engine.claim()).toHaveLength(4);
  });
});

it("routes that many set at once are those of one of them", async () => {
  await engine.configure({ endpoints: { two: { providerId: "ep-two" } } });
  const lists = [["one", "two"], ["two", "one"], ["two"]];
  const set = (list: string[]) =>
    engine.pool`select podbase.configure(${engine.pool.json({ routes: { busy: list } })})`;
  for (let round = 0; round < 10; round++) {
    await Promise.all(lists.map(set));
    const [row] = await engine.sql`
      select array_agg(endpoint order by position) as list from podbase_private.routes where route = 'busy'`;
    expect(lists).toContainEqual(row!.list);
  }
});
