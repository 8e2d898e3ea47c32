/** What waits for a time: jobs for later, doubtful POSTs for evidence, attempts for a look when the clock was set back. */
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, READING } from "./harness.ts";

const { engine, user } = await engineOfFile(
  ({ sql }) => sql`update podbase_private.endpoints set evidence_window_ms = null`,
);

const DAY = 86_400;
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

describe("a job for later", () => {
  const map = { over: "input", path: ["list"] };
  it.each([
    ["of one task", ONE, 1],
    ["of a plan", READING, 1],
    ["of a list", [{ ...ONE[0]!, map }], 2],
  ])("%s starts when it is time, and not before", async (_, tasks, claims) => {
    const { job, ...made } = await engine.submit(user, tasks, {
      input: { list: [1, 2] },
      runAt: inSeconds(DAY),
    });
    expect(made).toMatchObject({ created: true, claims: [] });
    await engine.clock(DAY - 60);
    await engine.tick();
    expect(await engine.claim()).toEqual([]);
    expect((await engine.job(job.id)).status).toBe("queued");
    await engine.clock(DAY + 60);
    await engine.tick();
    expect(await engine.claim()).toHaveLength(claims);
  });

  it("is one of many as well, keeps to its user's limit, and starts at once when its time has passed", async () => {
    const limited = await engine.user();
    await engine.configure({ users: { [limited]: { maxInFlight: 1 } } });
    const request = { user: limited, kind: "reading", input: {}, plan: { tasks: ONE } };
    const requests = [request, { ...request, runAt: inSeconds(DAY) }, { ...request, runAt: inSeconds(-DAY) }];
    await engine.sql`select podbase.submit_jobs(${engine.sql.json(requests)})`;
    const [first] = await engine.claim();
    expect(await engine.claim()).toEqual([]);
    const next = [...(await engine.complete(first!)).claims, ...(await engine.claim())];
    expect(next).toHaveLength(1);
    await engine.complete(next[0]!);
    expect(await engine.claim()).toEqual([]);
    await engine.clock(DAY + 60);
    await engine.tick();
    expect(await engine.claim()).toHaveLength(1);
  });

  it("is estimated from its time on", async () => {
    const { claims } = await engine.submit(user, ONE);
    await engine.report(claims[0]!, {
      status: "COMPLETED",
      output: {},
      delayTime: 1000,
      executionTime: 5000,
    });
    const runAt = inSeconds(DAY);
    const { job } = await engine.submit(user, READING, { runAt });
    const [row] = await engine.as(user, (tx) => tx`select podbase.estimate(${job.id}) as estimate`);
    // Two steps of 6 s, one after the other.
    expect((Date.parse(row!.estimate.likely) - Date.parse(runAt)) / 1000).toBeCloseTo(12);
    expect((Date.parse(row!.estimate.latest) - Date.parse(runAt)) / 1000).toBeCloseTo(12);
  });

  it("is canceled like any other", async () => {
    const { job } = await engine.submit(user, ONE, { runAt: inSeconds(DAY) });
    await engine.as(user, (tx) => tx`select podbase.cancel_job(${job.id})`);
    expect(await engine.job(job.id)).toMatchObject({ status: "canceled" });
    await engine.clock(2 * DAY);
    await engine.tick();
    expect(await engine.claim()).toEqual([]);
  });
});

describe("a POST without a clear answer", () => {
  /** The seconds that evidence is waited for, after jobs of the endpoint waited so many ms for a worker. */
  const windowAfter = async (...delays: number[]) => {
    for (const delayTime of delays) {
      const { claims } = await engine.submit(user, ONE);
      await engine.report(claims[0]!, { status: "COMPLETED", output: {}, delayTime });
    }
    const { claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    const { next_check_at, submitted_at } = await engine.attempt(claims[0]!);
    return (next_check_at - submitted_at) / 1000;
  };

  it("waits for evidence as long as jobs of its endpoint lately waited, from 2 minutes to 30", async () => {
    expect(await windowAfter()).toBe(120);
    expect(await windowAfter(1000, 2000)).toBe(120);
    expect(await windowAfter(500_000)).toBe(500);
    expect(await windowAfter(86_400_000)).toBe(1800);
  });

  it("waits as long as its endpoint says, if it says so", async () => {
    await engine.configure({
      endpoints: { one: { providerId: "ep-one", firstPollMs: 30_000, evidenceWindowMs: 7000 } },
    });
    expect(await windowAfter(500_000)).toBe(7);
  });
});

describe("a clock that was set back", () => {
  it("leaves no attempt alone for as long as it was ahead", async () => {
    await engine.clock(365 * DAY);
    const [claimed, queued] = [await engine.submit(user, ONE), await engine.submit(user, ONE)];
    await engine.accepted(...queued.claims);
    await engine.clock(null);
    await engine.tick();
    await engine.clock(90);
    expect((await engine.sql`select podbase.claim_polls(10) as polls`)[0]!.polls).toMatchObject([
      { attempt: queued.claims[0]!.attempt },
    ]);
    await engine.tick();
    expect(await engine.attempt(claimed.claims[0]!)).toMatchObject({ state: "submit_unknown" });
  });
});
