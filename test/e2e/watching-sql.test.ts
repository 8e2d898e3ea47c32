import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, ONE, openEngine } from "../sql/harness.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine.close());

interface Found {
  id: string;
  status: string;
  seen_at: string | null;
  tasks: { name: string }[];
  artifacts: unknown[];
}

const find = async (user: string, filter: { ids?: string[]; statuses?: string[]; unseen?: boolean }) => {
  const { ids = null, statuses = null, unseen = false } = filter;
  const [row] = await engine.as(
    user,
    (tx) => tx<{ jobs: Found[] }[]>`
      select podbase.find_jobs(${ids}::uuid[], ${statuses}::podbase.job_status[], ${unseen}) as jobs`,
  );
  return row?.jobs ?? [];
};

/** A job of one task that is done. */
const done = async (user: string): Promise<string> => {
  const { job, claims } = await engine.submit(user, ONE);
  await engine.accepted(...claims);
  for (const claim of claims) await engine.complete(claim);
  return job.id;
};

describe("finding jobs", () => {
  it("gives whole jobs by id, and nobody else's", async () => {
    const [ada, grace] = [await engine.user(), await engine.user()];
    const { job } = await engine.submit(ada);
    const [found] = await find(ada, { ids: [job.id, randomUUID()] });
    expect(found).toMatchObject({ id: job.id, artifacts: [] });
    expect(found?.tasks.map(({ name }) => name)).toEqual(["text", "audio", "pdf"]);
    expect(await find(grace, { ids: [job.id] })).toEqual([]);
    expect(await find(grace, {})).toEqual([]);
  });

  it("gives those of a status, and those that are open or were not seen at their end", async () => {
    const ada = await engine.user();
    const seen = await done(ada);
    const unseen = await done(ada);
    const { job: open } = await engine.submit(ada, ONE);
    await engine.as(ada, (tx) => tx`select podbase.mark_seen(${seen})`);
    const ids = async (filter: Parameters<typeof find>[1]) => (await find(ada, filter)).map(({ id }) => id);
    expect(new Set(await ids({ statuses: ["completed"] }))).toEqual(new Set([seen, unseen]));
    expect(await ids({ unseen: true })).toEqual([open.id, unseen]);
  });
});

describe("marking a job as seen", () => {
  it("notes it once, at its end, and moves no version", async () => {
    const ada = await engine.user();
    const { job } = await engine.submit(ada, ONE);
    const mark = async (id: string) => {
      const [row] = await engine.as(
        ada,
        (tx) => tx<{ job: Found }[]>`select podbase.mark_seen(${id}) as job`,
      );
      return row?.job;
    };
    expect((await mark(job.id))?.seen_at).toBeNull();
    const finished = await done(ada);
    const { version } = await engine.job(finished);
    const first = await mark(finished);
    expect(first?.seen_at).not.toBeNull();
    expect(await mark(finished)).toEqual(first);
    expect((await engine.job(finished)).version).toBe(version);
  });

  it("is for the owner alone", async () => {
    const [ada, grace] = [await engine.user(), await engine.user()];
    const id = await done(ada);
    for (const name of ["mark_seen", "estimate"]) {
      await expect(
        engine.as(grace, (tx) => tx.unsafe(`select podbase.${name}('${id}')`)),
      ).rejects.toMatchObject({ code: "PB005" });
      await expect(
        engine.as(null, (tx) => tx.unsafe(`select podbase.${name}('${id}')`)),
      ).rejects.toMatchObject({ code: "42501" });
    }
    expect((await engine.job(id)).seen_at).toBeNull();
  });
});

describe("an estimate", () => {
  interface Estimate {
    now: string;
    likely: string | null;
    latest: string | null;
    tasks: Record<
      string,
      { cold: boolean; samples: number; likely: string; waitP50: number; runP90: number }
    >;
  }
  const estimate = async (user: string, job: string) => {
    // The same session as the clock of the test; the caller is told as the API would.
    const [row] = await engine.sql<{ estimate: Estimate; now: Date }[]>`
      with caller as materialized (select set_config('request.jwt.claims', ${JSON.stringify({ sub: user })}, false))
      select podbase_private.estimate(${job}) as estimate, podbase_private.now() as now from caller`;
    if (!row) throw new Error("no estimate");
    return row;
  };
  const secondsLeft = ({ estimate, now }: { estimate: Estimate; now: Date }, key: "likely" | "latest") =>
    Math.round((Date.parse(estimate[key] ?? "") - now.getTime()) / 1000);

  it("says nothing without history", async () => {
    await engine.configure({ endpoints: { new: { providerId: "ep-new" } }, routes: { fresh: ["new"] } });
    const ada = await engine.user();
    const { job } = await engine.submit(ada, [{ name: "text", route: "fresh" }]);
    const { now, estimate: nothing } = await estimate(ada, job.id);
    expect(nothing).toEqual({ now: expect.any(String), tasks: {}, likely: null, latest: null });
    expect(Date.parse(nothing.now)).toBe(now.getTime());
  });

  it("tells cold starts from warm ones and counts what has already passed", async () => {
    await engine.configure({ endpoints: { two: { providerId: "ep-two" } }, routes: { slow: ["two"] } });
    const ada = await engine.user();
    const tasks = [
      { name: "text", route: "slow" },
      { name: "audio", route: "slow", after: ["text"] },
    ];
    // Ten mornings: a cold start of a minute, and right after it a task that finds the worker warm.
    for (let morning = 0; morning < 10; morning++) {
      for (const [after, delayTime, executionTime] of [
        [0, 60_000, 5_000],
        [66, 500, 5_000],
      ] as const) {
        await engine.clock(-100_000 + morning * 1_000 + after);
        const { claims } = await engine.submit(ada, [{ name: "text", route: "slow" }]);
        await engine.accepted(...claims);
        await engine.clock(-100_000 + morning * 1_000 + after + (delayTime + executionTime) / 1_000);
        await engine.report(claims[0]!, { status: "COMPLETED", output: {}, delayTime, executionTime });
      }
    }
    await engine.clock(0);
    const { job, claims } = await engine.submit(ada, tasks);
    await engine.accepted(...claims);
    const cold = await estimate(ada, job.id);
    expect(cold.estimate.tasks.text).toMatchObject({
      cold: true,
      samples: 10,
      waitP50: 60_000,
      runP90: 5_000,
    });
    expect(secondsLeft(cold, "likely")).toBe(2 * 65);

    await engine.clock(50);
    expect(secondsLeft(await estimate(ada, job.id), "likely")).toBe(15 + 65);

    await engine.clock(61);
    await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" });
    const running = await estimate(ada, job.id);
    expect(running.estimate.tasks.audio).toMatchObject({ cold: false, samples: 10, waitP50: 500 });
    expect(secondsLeft(running, "latest")).toBe(Math.round(5 + 5.5));
  });
});
