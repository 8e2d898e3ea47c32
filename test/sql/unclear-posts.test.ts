/** POSTs to RunPod of which nobody knows whether they made a job. */
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine, user } = await engineOfFile();

describe("a POST without a clear answer", () => {
  it("is confirmed by a sign of life, and never posted again before the window is over", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown", error: "reset" });
    expect(await engine.job(job.id)).toMatchObject({ phase: "confirming" });
    await engine.clock(60);
    await engine.tick();
    expect((await engine.claim()).filter((claim) => claim.job === job.id)).toEqual([]);
    expect(await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" })).toMatchObject({
      proceed: true,
    });
    expect(await engine.job(job.id)).toMatchObject({ phase: "running" });
  });

  it("at_least_once: a new attempt after the window, the old one is told to stop", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    const second = await engine.nextAttempt(job.id, 200);
    expect(second.number).toBe(2);
    expect(await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" })).toMatchObject({
      verdict: "late",
      proceed: false,
    });
  });

  it("at_least_once: the old attempt's result still wins while the task is open, the new one is canceled", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    const second = await engine.nextAttempt(job.id, 200);
    await engine.accepted(second);
    expect((await engine.complete(claims[0]!, { text: "first" })).verdict).toBe("applied");
    const done = await engine.job(job.id);
    expect(done).toMatchObject({ status: "completed", tasks: { text: { output: { text: "first" } } } });
    expect(await engine.attempt(second)).toMatchObject({ state: "superseded" });
    const [cancels] = await engine.sql`select podbase.claim_cancels(10) as c`;
    expect(cancels!.c).toMatchObject([{ attempt: second.attempt }]);
  });

  it("at_most_once: never a second attempt; lost, visibly, when the ttl is over", async () => {
    const { job, claims } = await engine.submit(user, [{ ...ONE[0]!, submitPolicy: "at_most_once" }]);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(3600);
    await engine.tick();
    expect(await engine.job(job.id)).toMatchObject({ status: "processing", phase: "confirming" });
    await engine.clock(86_500);
    await engine.tick();
    expect(await engine.job(job.id)).toMatchObject({ status: "failed", error: { code: "lost_unconfirmed" } });
  });

  it("at_most_once: a claim that ran out before its POST was told leaves no doubt, and may not be posted any more", async () => {
    const dear = { ...ONE[0]!, submitPolicy: "at_most_once" };
    const { job, claims } = await engine.submit(user, [dear]);
    const second = await engine.nextAttempt(job.id, 60);
    expect(await engine.attempt(claims[0]!)).toMatchObject({
      state: "rejected",
      failure_class: "unconfirmed",
    });
    expect([claims[0], second]).toMatchObject([
      { number: 1, submitPolicy: "at_most_once" },
      { number: 2, submitPolicy: "at_most_once" },
    ]);
    expect(await engine.submission(claims[0]!, { outcome: "posting" })).toBe(0);
    expect(await engine.submission(second, { outcome: "posting" })).toBe(1);
    expect(await engine.accepted(second)).toBe(1);
  });

  it("at_most_once: a POST is told once, as long as the lease holds, and in doubt from then on", async () => {
    const dear = { route: "gpu", submitPolicy: "at_most_once" };
    const { job, claims } = await engine.submit(user, [
      { ...dear, name: "a" },
      { ...dear, name: "b" },
    ]);
    const [a, b] = [claims.find(({ task }) => task === "a")!, claims.find(({ task }) => task === "b")!];
    const posting = (claim: typeof a) => engine.submission(claim, { outcome: "posting" });
    const { version } = await engine.job(job.id);
    expect([a.submitPolicy, await posting(a), await posting(a)]).toEqual(["at_most_once", 1, 0]);
    await engine.clock(31);
    expect(await posting(b)).toBe(0);
    expect(await engine.job(job.id)).toMatchObject({ version });
    await engine.tick();
    expect(await engine.job(job.id)).toMatchObject({
      tasks: { a: { phase: "confirming" }, b: { phase: "retrying" } },
    });
    await engine.clock(86_500);
    await engine.tick();
    expect(await engine.job(job.id)).toMatchObject({
      tasks: { a: { status: "failed", error: { code: "lost_unconfirmed" } } },
    });
  });

  it("at_most_once: what RunPod told of its end leaves no doubt, so it is tried again as its class says", async () => {
    const { id, claim } = await engine.inQueue(user, { submitPolicy: "at_most_once" });
    await engine.report(claim, { status: "FAILED", error: "boom" });
    expect(await engine.nextAttempt(id)).toMatchObject({ number: 2 });
  });

  it("is canceled at RunPod once its id is known after all, though the task goes on without it", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(121);
    await engine.tick();
    const cancels = async () =>
      (await engine.sql`select podbase.claim_cancels(10) as c`)[0]!.c as { attempt: string }[];
    expect(await cancels()).toEqual([]);
    await engine.report(claims[0]!, { status: "IN_PROGRESS", providerId: "late-u1" });
    expect(await cancels()).toMatchObject([{ attempt: claims[0]!.attempt, providerId: "late-u1" }]);
    await engine.sql`select podbase.record_cancels(${[claims[0]!.attempt]}::uuid[])`;
    expect(await engine.job(job.id)).toMatchObject({ status: "processing", phase: "retrying" });
  });

  it("is what a claim becomes whose function died", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.clock(31);
    await engine.tick();
    expect(await engine.attempt(claims[0]!)).toMatchObject({ state: "submit_unknown" });
    expect(await engine.job(job.id)).toMatchObject({ phase: "confirming" });
  });
});
