import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, WITH_FILE } from "./harness.ts";

const HOUR = 3600;
const { engine, user } = await engineOfFile(({ sql }) => sql`delete from podbase_private.files_to_delete`);

const claimFiles = async (limit = 100) =>
  (await engine.sql`select podbase.claim_file_deletes(${limit}) as f`)[0]!.f as {
    id: number;
    path: string;
  }[];
const record = async (ids: number[]) =>
  (await engine.sql`select podbase.record_file_deletes(${ids}::bigint[]) as n`)[0]!.n as number;
const waiting = async () =>
  (await engine.sql`select count(*)::int as n from podbase_private.files_to_delete`)[0]!.n as number;
const pathOf = (claim: Claim) => [claim.user, claim.job, claim.task, claim.attempt, "text"].join("/");
const isDue = async () => (await engine.sql`select podbase_private.work_is_due() as due`)[0]!.due as boolean;

async function submitted(more: object = {}): Promise<{ job: string; claim: Claim }> {
  const { job, claims } = await engine.submit(user, WITH_FILE, more);
  await engine.upload(claims[0]!.user, claims[0]!, "text", 3);
  return { job: job.id, claim: claims[0]! };
}

describe("a worker's word about its file", () => {
  it.each([["many"], [1.5], [1e30], [{}], ["3"], [4]])(
    "that it has %j bytes is not believed, and the attempt has failed",
    async (bytes) => {
      const { job, claim } = await submitted();
      const output = { podbase: { artifacts: { text: { bytes } } } };
      expect((await engine.complete(claim, output)).verdict).toBe("applied");
      expect(await engine.attempt(claim)).toMatchObject({ state: "failed", failure_class: "missing_output" });
      expect(await engine.job(job)).toMatchObject({ phase: "retrying" });
    },
  );

  it.each([[3], [null], [undefined]])("that it has %j bytes is fine", async (bytes) => {
    const { job, claim } = await submitted();
    await engine.complete(claim, { podbase: { artifacts: { text: { bytes } } } });
    expect(await engine.job(job)).toMatchObject({ status: "completed" });
  });
});

describe("the files of a deleted job", () => {
  it("are to be deleted, once, and reconcile is told", async () => {
    const { job, claim } = await submitted();
    await engine.complete(claim);
    expect(await isDue()).toBe(false);
    await engine.sql`delete from podbase.jobs where id = ${job}`;
    expect(await isDue()).toBe(true);
    const files = await claimFiles();
    expect(files).toMatchObject([{ path: pathOf(claim) }]);
    expect(await claimFiles(), "given to one at a time").toEqual([]);
    expect(await record(files.map(({ id }) => id))).toBe(1);
    expect(await record(files.map(({ id }) => id)), "and told twice").toBe(0);
    expect(await waiting()).toBe(0);
  });

  it("are given again when nobody said within ten minutes that they are gone", async () => {
    const { job, claim } = await submitted();
    await engine.complete(claim);
    await engine.sql`delete from podbase.jobs where id = ${job}`;
    expect(await claimFiles()).toHaveLength(1);
    await engine.clock(601);
    expect(await claimFiles()).toHaveLength(1);
  });

  it("stay while another user's copy shows them", async () => {
    const plan = { tasks: WITH_FILE, reuse: { scope: "global", ttlMs: 60_000 } };
    const { job, claim } = await submitted({ plan });
    await engine.complete(claim);
    const copy = await engine.submit(await engine.user(), WITH_FILE, { plan });
    await engine.sql`delete from podbase.jobs where id = ${job}`;
    expect(await claimFiles()).toEqual([]);
    await engine.sql`delete from podbase.jobs where id = ${copy.job.id}`;
    expect(await claimFiles()).toMatchObject([{ path: pathOf(claim) }]);
  });

  it("go with the user's account, also what a worker may still upload", async () => {
    const gone = await engine.user();
    const done = (await engine.submit(gone, WITH_FILE)).claims[0]!;
    await engine.upload(gone, done, "text", 3);
    await engine.complete(done);
    const running = (await engine.submit(gone, WITH_FILE)).claims[0]!;
    await engine.sql`delete from auth.users where id = ${gone}`;
    expect(await claimFiles()).toMatchObject([{ path: pathOf(done) }]);
    await engine.upload(gone, running, "text", 3);
    await engine.clock(3 * HOUR + 1);
    expect((await claimFiles()).map(({ path }) => path)).toContain(pathOf(running));
  });
});

describe("what an attempt without a result uploaded", () => {
  it("is to be deleted once its slots are over and its task has ended", async () => {
    const { job, claim } = await submitted();
    await engine.report(claim, { status: "FAILED", error: "boom" });
    await engine.clock(3 * HOUR + 1);
    expect(await claimFiles(), "its task is open").toEqual([]);
    await engine.tick();
    const [second] = await engine.claim();
    await engine.upload(user, second!, "text", 3);
    await engine.complete(second!);
    await engine.clock(6 * HOUR + 2);
    expect(await claimFiles()).toMatchObject([{ path: pathOf(claim) }]);
    expect(await engine.job(job)).toMatchObject({ status: "completed" });
  });

  it("is kept when it completed its task after all, and nothing is asked for what is not there", async () => {
    const { claim } = await submitted();
    await engine.submission(claim, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    expect(await engine.attempt(claim)).toMatchObject({ state: "superseded" });
    await engine.complete(claim);
    const other = (await engine.submit(user, WITH_FILE, { input: { n: 2 } })).claims[0]!;
    await engine.report(other, { status: "FAILED", class: "bad_input", error: "no" });
    expect(await waiting()).toBe(2);
    await engine.clock(4 * HOUR);
    expect(await claimFiles()).toEqual([]);
    expect(await waiting()).toBe(0);
  });

  it("is to be deleted too when an earlier attempt's late result wins", async () => {
    const { job, claim } = await submitted();
    await engine.submission(claim, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    await engine.clock(800);
    await engine.tick();
    const [second] = await engine.claim();
    await engine.upload(user, second!, "text", 3);
    await engine.complete(claim);
    expect(await engine.job(job)).toMatchObject({ status: "completed" });
    await engine.clock(800 + 3 * HOUR + 1);
    expect(await claimFiles()).toMatchObject([{ path: pathOf(second!) }]);
  });

  it("is nothing where the task declares no artifact or the work was never handed over", async () => {
    const { claims } = await engine.submit(user, [{ name: "text", route: "gpu" }]);
    await engine.report(claims[0]!, { status: "FAILED", class: "bad_input", error: "no" });
    const { claim } = await submitted();
    await engine.submission(claim, { outcome: "rejected", class: "rate_limited" });
    expect(await waiting()).toBe(0);
  });
});
