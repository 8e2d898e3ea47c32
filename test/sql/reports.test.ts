import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine, user } = await engineOfFile();

describe("a report", () => {
  it("with a wrong token, task or kind has no effect and is not stored", async () => {
    const { id, claim } = await engine.inQueue(user);
    for (const forged of [{ token: "0".repeat(64) }, { token: "" }, { task: "audio" }, { kind: "image" }]) {
      const result = await engine.report(claim, { status: "COMPLETED", output: {}, ...forged });
      expect(result).toMatchObject({ verdict: "unauthorized", proceed: false });
    }
    expect(await engine.job(id)).toMatchObject({ status: "processing", version: "2" });
    expect(
      await engine.sql`select from podbase_private.webhook_inbox where attempt_id = ${claim.attempt}`,
    ).toHaveLength(0);
  });

  it("that comes twice counts once", async () => {
    const { id, claim } = await engine.inQueue(user);
    expect((await engine.complete(claim)).verdict).toBe("applied");
    const { version } = await engine.job(id);
    expect((await engine.complete(claim)).verdict).toBe("duplicate");
    expect((await engine.job(id)).version).toBe(version);
  });

  it("of progress that arrives after the end changes nothing", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.complete(claim);
    expect(await engine.report(claim, { status: "IN_PROGRESS" })).toMatchObject({
      verdict: "late",
      proceed: false,
    });
    expect(await engine.job(id)).toMatchObject({ status: "completed" });
  });

  it("that overtakes RunPod's own answer to the POST counts, and the answer then keeps only the id", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.complete(claims[0]!);
    await engine.accepted(claims[0]!);
    expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
    expect(await engine.attempt(claims[0]!)).toMatchObject({
      state: "completed",
      provider_id: `${claims[0]!.attempt}-u1`,
    });
  });

  it("stores what it said but never the token", async () => {
    const { claim } = await engine.inQueue(user);
    await engine.complete(claim);
    const stored =
      await engine.sql`select report from podbase_private.webhook_inbox where attempt_id = ${claim.attempt}`;
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain(claim.token);
  });

  it("of progress shows rising values only, at most one a second", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.report(claim, { source: "worker", status: "IN_PROGRESS" });
    const tell = (seq: number, progress: number) =>
      engine.report(claim, { source: "worker", status: "IN_PROGRESS", seq, progress });
    await tell(0, 0.1);
    expect((await engine.job(id)).tasks.text!.progress).toBeNull();
    await engine.clock(2);
    await tell(2, 0.5);
    await engine.clock(4);
    await tell(1, 0.9);
    await tell(3, 0.4);
    expect((await engine.job(id)).tasks.text!.progress).toBe(0.5);
  });

  it.each([
    [1e-60, null],
    [-1e308, null],
    [1e308, 1],
  ])("of a progress of %d shows %s", async (progress, shown) => {
    const { id, claim } = await engine.inQueue(user);
    await engine.clock(2);
    await engine.report(claim, { source: "worker", status: "IN_PROGRESS" });
    await engine.clock(4);
    await engine.report(claim, { source: "worker", status: "IN_PROGRESS", seq: 0, progress });
    expect((await engine.job(id)).tasks.text!.progress).toBe(shown);
  });

  it("without the declared artifact in storage is a missing output; with it, the artifact is recorded", async () => {
    const { id, claim } = await engine.inQueue(user, { artifacts: { text: "text/markdown" } });
    const sha256 = "ab".repeat(32);
    const output = { podbase: { artifacts: { text: { bytes: 5, sha256 } } } };
    await engine.upload(user, claim, "text", 4);
    await engine.complete(claim, output);
    expect(await engine.attempt(claim)).toMatchObject({ state: "failed", failure_class: "missing_output" });

    const second = await engine.nextAttempt(id);
    await engine.upload(user, second, "text", 5);
    await engine.complete(second, output);
    expect(await engine.job(id)).toMatchObject({ status: "completed" });
    const artifacts =
      await engine.sql`select name, bytes, sha256, path from podbase.artifacts where job_id = ${id}`;
    expect(artifacts).toMatchObject([
      { name: "text", bytes: "5", sha256, path: `${user}/${id}/text/${second.attempt}/text` },
    ]);
  });

  it.each([
    ["too short", "ab"],
    ["a megabyte", "ab".repeat(500_000)],
    ["an object", { hex: "ab".repeat(32) }],
    ["a number", 7],
  ])("whose digest is %s completes without one", async (_what, sha256) => {
    const { id, claim } = await engine.inQueue(user, { artifacts: { text: "text/markdown" } });
    await engine.upload(user, claim, "text", 5);
    await engine.complete(claim, { podbase: { artifacts: { text: { bytes: 5, sha256 } } } });
    expect(await engine.job(id)).toMatchObject({ status: "completed" });
    const kept = await engine.sql`select bytes, sha256 from podbase.artifacts where job_id = ${id}`;
    expect(kept).toMatchObject([{ bytes: "5", sha256: null }]);
  });
});

describe("a failure", () => {
  it("is tried again after a back-off, until max_attempts", async () => {
    const { id, claim } = await engine.inQueue(user, { maxAttempts: 2 });
    await engine.report(claim, { status: "FAILED", error: "CUDA out of memory" });
    expect(await engine.job(id)).toMatchObject({
      status: "processing",
      phase: "retrying",
      notice: { code: "retrying" },
    });
    const second = await engine.nextAttempt(id);
    expect(second).toMatchObject({ number: 2, task: "text" });
    expect(second.token).not.toBe(claim.token);
    await engine.report(second, { status: "FAILED", error: "CUDA out of memory" });
    expect(await engine.job(id)).toMatchObject({ status: "failed", error: { code: "out_of_memory" } });
  });

  it("of bad input is never tried again", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.report(claim, { status: "FAILED", class: "bad_input", error: "no" });
    expect(await engine.job(id)).toMatchObject({ status: "failed", error: { code: "bad_input" } });
  });

  it("to reach RunPod uses up no attempt, however often", async () => {
    const { job, claims } = await engine.submit(user, [{ ...ONE[0]!, maxAttempts: 1 }]);
    let [claim] = claims;
    for (let round = 1; round <= 5; round++) {
      await engine.submission(claim!, { outcome: "not_sent", class: "transient_network" });
      claim = await engine.nextAttempt(job.id, round * 600);
    }
    expect(await engine.job(job.id)).toMatchObject({ status: "processing", phase: "retrying" });
    expect(claim!.number).toBe(6);
  });
});

describe("a poll", () => {
  const polls = async () =>
    (await engine.sql`select podbase.claim_polls(100) as p`)[0]!.p as { attempt: string }[];

  it("is due 30 s after the submission, then ever more rarely, at least every ten minutes", async () => {
    const { claim } = await engine.inQueue(user);
    const mine = async () => (await polls()).some((poll) => poll.attempt === claim.attempt);
    await engine.clock(29);
    expect(await mine()).toBe(false);
    let at = 31;
    await engine.clock(at);
    expect(await mine()).toBe(true);
    for (let round = 0; round < 12; round++) {
      at += 601;
      await engine.clock(at);
      expect(await mine()).toBe(true);
      expect(await mine()).toBe(false);
    }
  });

  it("that finds nothing right after the submission waits; later, the work is lost and tried again", async () => {
    const { id, claim } = await engine.inQueue(user);
    const lost = { source: "poll", status: "NOT_FOUND" } as const;
    expect((await engine.report(claim, lost)).verdict).toBe("unchanged");
    await engine.clock(61);
    expect((await engine.report(claim, lost)).verdict).toBe("applied");
    expect(await engine.attempt(claim)).toMatchObject({ state: "lost", failure_class: "lost" });
    expect(await engine.job(id)).toMatchObject({ status: "processing", phase: "retrying" });
  });

  it("that finds nothing completes the task when its artifacts are in storage", async () => {
    const { id, claim } = await engine.inQueue(user, { artifacts: { text: "text/markdown" } });
    await engine.report(claim, { source: "worker", status: "IN_PROGRESS" });
    await engine.upload(user, claim, "text", 7);
    await engine.report(claim, { source: "poll", status: "NOT_FOUND" });
    expect(await engine.job(id)).toMatchObject({ status: "completed" });
  });

  it("that brings an unheard-of state changes nothing", async () => {
    const { id, claim } = await engine.inQueue(user);
    expect((await engine.report(claim, { source: "poll", status: "DREAMING" as never })).verdict).toBe(
      "unchanged",
    );
    expect(await engine.job(id)).toMatchObject({ status: "processing" });
  });
});

describe("many reports", () => {
  it("count in one call, each by itself, in the order given; what they make ready comes with the last", async () => {
    const [one, two] = [await engine.inQueue(user), await engine.inQueue(user)];
    const { claims } = await engine.submit(user, [ONE[0]!, { name: "next", route: "gpu", after: ["text"] }]);
    const completed = (claim: Claim) => ({
      ...{ attempt: claim.attempt, token: claim.token, kind: claim.kind, task: claim.task },
      ...{ source: "webhook", status: "COMPLETED", output: {} },
    });
    const reports = [completed(claims[0]!), { ...completed(one.claim), token: "x" }, completed(two.claim)];
    const [row] = await engine.sql`select podbase.record_reports(${engine.sql.json(reports)}) as results`;
    expect(row!.results.map((result: { verdict: string }) => result.verdict)).toEqual([
      "applied",
      "unauthorized",
      "applied",
    ]);
    expect(row!.results[2].claims).toMatchObject([{ task: "next" }]);
    expect(await engine.job(two.id)).toMatchObject({ status: "completed" });
    expect(await engine.job(one.id)).toMatchObject({ status: "processing" });
  });
});
