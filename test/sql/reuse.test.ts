import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, type PlanTask, WITH_FILE } from "./harness.ts";

const TWO: PlanTask[] = [
  { name: "text", route: "gpu" },
  { name: "audio", route: "gpu", after: ["text"] },
];
const OTHERS = "00000000-0000-4000-8000-000000000000";
const { engine, user } = await engineOfFile();
const other = await engine.user();

const ask = (who: string, scope: "user" | "global", tasks = WITH_FILE, more: object = {}) =>
  engine.submit(who, tasks, { plan: { tasks, reuse: { scope, ttlMs: 60_000 } }, ...more });
/** Completes a claim whose artifact lies in Storage. */
async function complete(claim: Claim) {
  await engine.upload(claim.user, claim, "text", 3);
  return engine.complete(claim, { text: "words" });
}
const control = (who: string, name: string, id: string) =>
  engine.as(who, (tx) => tx.unsafe(`select podbase.${name}($1)`, [id]));
const files = (who: string) =>
  engine.as(who, (tx) => tx`select name from storage.objects where bucket_id = 'podbase'`);
const versions = async (job: string) =>
  (
    await engine.sql`
    select version::int as n from podbase_private.job_events where job_id = ${job} order by version`
  ).map((row) => row.n);

describe("reuse by one user", () => {
  it("gives the same request the job that is under way or fresh, to the same user only", async () => {
    const first = await ask(user, "user");
    expect(await ask(user, "user")).toMatchObject({ created: false, claims: [], job: { id: first.job.id } });
    expect((await ask(other, "user")).created).toBe(true);
    expect((await ask(user, "user", WITH_FILE, { input: { n: 2 } })).created).toBe(true);
    await complete(first.claims[0]!);
    expect(await ask(user, "user")).toMatchObject({
      created: false,
      job: { id: first.job.id, status: "completed" },
    });
    expect((await ask(user, "user", TWO)).created, "another plan is another request").toBe(true);
    await engine.clock(61);
    expect((await ask(user, "user")).created).toBe(true);
  });

  it("keeps a key that it has given a job to also from requests that do not ask for it, alone or among many", async () => {
    const first = await ask(user, "user", ONE);
    expect((await ask(user, "user", ONE, { idempotencyKey: "k" })).created).toBe(false);
    const again = { created: false, job: { id: first.job.id } };
    expect(await engine.submit(user, ONE, { idempotencyKey: "k" })).toMatchObject(again);
    const one = { user, kind: "reading", input: { n: 1 }, idempotencyKey: "k", plan: { tasks: ONE } };
    const [row] = await engine.sql`select podbase.submit_jobs(${engine.sql.json([one])}) as made`;
    expect(row!.made).toEqual([{ job: first.job.id, created: false }]);
    await expect(engine.submit(user, ONE, { idempotencyKey: "k", input: {} })).rejects.toMatchObject({
      code: "PB001",
    });
  });

  it.each(["user", "global"] as const)(
    "of scope %s does not give what is being canceled again",
    async (scope) => {
      const first = await ask(user, scope);
      await engine.accepted(...first.claims);
      await control(user, "cancel_job", first.job.id);
      const second = await ask(user, scope);
      expect(second).toMatchObject({ created: true, job: { status: "queued" } });
      expect(await ask(user, scope)).toMatchObject({ created: false, job: { id: second.job.id } });
      await engine.sql`select podbase.record_cancels(${[first.claims[0]!.attempt]}::uuid[])`;
      const [claim] = [...second.claims, ...(await engine.claim())];
      await complete(claim!);
      expect(await engine.job(second.job.id)).toMatchObject({ status: "completed" });
      expect(await engine.sql`select from podbase_private.attempts`).toHaveLength(2);
    },
  );
});

describe("reuse among all users", () => {
  it("gives another user a completed job of their own, with outputs, files and history, and buys nothing", async () => {
    const first = await ask(user, "global");
    await complete(first.claims[0]!);
    const copy = await ask(other, "global");
    expect(copy).toMatchObject({
      created: true,
      claims: [],
      job: { user_id: other, status: "completed", tasks: [{ output: { text: "words" } }] },
    });
    expect(copy.job.id).not.toBe(first.job.id);
    expect(await versions(copy.job.id)).toEqual([1, 2]);
    expect(await ask(other, "global")).toMatchObject({ created: false, job: { id: copy.job.id } });
    expect(await ask(user, "global")).toMatchObject({ created: false, job: { id: first.job.id } });

    const [artifact] = copy.job.artifacts as { path: string; user_id: string }[];
    expect(artifact).toMatchObject({
      user_id: other,
      path: expect.stringContaining(`${user}/${first.job.id}/`),
    });
    expect(await files(other)).toEqual([{ name: artifact!.path }]);
    expect(await files(await engine.user())).toEqual([]);
    const heard = await engine.sql`
      select payload from realtime.messages where topic = ${`podbase:${other}`} and payload ->> 'job' = ${copy.job.id}`;
    expect(heard).toHaveLength(2);
    await engine.clock(61);
    expect((await ask(other, "global")).claims, "what is too old is made anew").toHaveLength(1);
  });

  it("lets another user wait for work that is under way, and end with it", async () => {
    const first = await ask(user, "global", TWO);
    const copy = await ask(other, "global", TWO);
    expect(copy).toMatchObject({ created: true, claims: [], job: { status: "queued" } });
    expect(await engine.claim()).toEqual([]);
    const { claims } = await engine.complete(first.claims[0]!, { n: 1 });
    await engine.complete(claims[0]!, { n: 2 });
    expect(await engine.job(copy.job.id)).toMatchObject({
      status: "completed",
      progress: 1,
      tasks: { text: { output: { n: 1 } }, audio: { output: { n: 2 }, status: "completed" } },
    });
    expect(await versions(copy.job.id)).toEqual([1, 2, 3]);
    expect(await engine.sql`select from podbase_private.attempts`).toHaveLength(2);
  });

  it("shares maps with their items", async () => {
    const plan = [{ name: "image", route: "gpu", map: { over: "input", path: ["list"] } } as PlanTask];
    const input = { input: { list: ["a", "b"] } };
    const first = await ask(user, "global", plan, input);
    const waiting = await ask(other, "global", plan, input);
    for (const claim of first.claims) await engine.complete(claim, { of: claim.item });
    const fresh = await ask(await engine.user(), "global", plan, input);
    for (const { job } of [waiting, fresh]) {
      expect(await engine.job(job.id)).toMatchObject({
        status: "completed",
        tasks: { image: { output: [{ of: "a" }, { of: "b" }] }, "image[1]": { output: { of: "b" } } },
      });
    }
  });

  it("starts one of those that wait when the first is canceled or lost for good; the others wait for that one", async () => {
    const first = await ask(user, "global", TWO);
    const copies = [await ask(other, "global", TWO), await ask(await engine.user(), "global", TWO)];
    await engine.accepted(...first.claims);
    await control(user, "cancel_job", first.job.id);
    await engine.sql`select podbase.record_cancels(${first.claims.map(({ attempt }) => attempt)}::uuid[])`;
    const next = await engine.claim();
    expect(next).toHaveLength(1);
    expect(copies.map(({ job }) => job.id)).toContain(next[0]!.job);
    expect((await ask(await engine.user(), "global", TWO)).claims, "later ones wait for it too").toEqual([]);
    const { claims } = await engine.complete(next[0]!, {});
    await engine.complete(claims[0]!, {});
    for (const { job } of copies) expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
    expect(await engine.sql`select from podbase.jobs where status <> 'completed'`).toHaveLength(1);
  });

  it("lets nobody wait for a job that is for later, and starts no job before its time", async () => {
    const runAt = new Date(Date.now() + 86_400_000).toISOString();
    const later = await ask(user, "global", ONE, { runAt });
    const first = await ask(other, "global", ONE);
    expect(first.claims).toHaveLength(1);
    expect(await ask(await engine.user(), "global", ONE, { runAt })).toMatchObject({
      created: true,
      claims: [],
    });
    await engine.accepted(...first.claims);
    await control(other, "cancel_job", first.job.id);
    await engine.sql`select podbase.record_cancels(${[first.claims[0]!.attempt]}::uuid[])`;
    expect(await engine.claim()).toEqual([]);
    await engine.clock(86_460);
    await engine.tick();
    const claims = await engine.claim();
    expect(claims).toHaveLength(2);
    expect(claims.map(({ job }) => job)).toContain(later.job.id);
  });

  it("starts no part of a copy whose owner cancels another part of it", async () => {
    const plan = [
      { name: "draft", route: "gpu", optional: true },
      { name: "text", route: "gpu", after: ["draft"] },
      { name: "image", route: "gpu", map: { over: "input", path: ["list"] } },
    ] as PlanTask[];
    const input = { input: { list: ["a"] } };
    const first = await ask(user, "global", plan, input);
    const copy = await ask(other, "global", plan, input);
    await control(other, "cancel_task", (await engine.job(copy.job.id)).tasks.draft!.id);
    expect(await engine.claim()).toEqual([]);
    for (const claim of first.claims) {
      for (const next of (await engine.complete(claim, { of: claim.task })).claims)
        await engine.complete(next, {});
    }
    expect(await engine.job(copy.job.id)).toMatchObject({
      status: "completed",
      tasks: {
        draft: { status: "canceled" },
        text: { status: "completed", output: {} },
        image: { output: [{ of: "image[0]" }] },
      },
    });
  });

  it("shares a failure that no other try would mend, and lets each owner try again", async () => {
    const first = await ask(user, "global", TWO);
    const copy = await ask(other, "global", TWO);
    await engine.report(first.claims[0]!, { status: "FAILED", class: "bad_input", error: "no" });
    expect(await engine.job(copy.job.id)).toMatchObject({
      status: "failed",
      error: { code: "bad_input" },
      tasks: { audio: { status: "canceled", notice: { code: "upstream_failed" } } },
    });
    await control(other, "retry_job", copy.job.id);
    expect(await engine.claim()).toMatchObject([{ job: copy.job.id, task: "text" }]);
  });

  it("goes on without a job that is deleted with its user", async () => {
    const gone = await engine.user();
    await ask(gone, "global");
    const copy = await ask(other, "global");
    await engine.sql`delete from auth.users where id = ${gone}`;
    const [claim] = await engine.claim();
    expect(claim).toMatchObject({ job: copy.job.id });
    const later = await ask(user, "global");
    expect(later.claims).toEqual([]);
    await complete(claim!);
    expect(await engine.job(later.job.id)).toMatchObject({ status: "completed" });
  });

  it("leaves a copy that its owner canceled alone, and the first one's owner undisturbed", async () => {
    const first = await ask(user, "global");
    const copy = await ask(other, "global");
    await control(other, "cancel_job", copy.job.id);
    expect(await engine.job(copy.job.id)).toMatchObject({ status: "canceled" });
    await control(other, "retry_job", copy.job.id);
    const [own] = await engine.claim();
    expect(own).toMatchObject({ job: copy.job.id });
    await complete(first.claims[0]!);
    expect(await engine.job(first.job.id)).toMatchObject({ status: "completed" });
    expect(await engine.job(copy.job.id)).toMatchObject({ status: "queued" });
  });

  it("makes a copy work for itself when its owner has a canceled part of it tried again", async () => {
    const plan = [TWO[0]!, { name: "audio", route: "gpu" }];
    await ask(user, "global", plan);
    const copy = await ask(other, "global", plan);
    const audio = (await engine.job(copy.job.id)).tasks.audio!.id;
    await control(other, "cancel_task", audio);
    expect(await engine.claim()).toEqual([]);
    await control(other, "retry_task", audio);
    expect((await engine.claim()).map((claim) => [claim.job, claim.task]).sort()).toEqual(
      [
        [copy.job.id, "audio"],
        [copy.job.id, "text"],
      ].sort(),
    );
  });

  it("keeps idempotency keys: the same key is the same copy, another input under it is refused", async () => {
    const first = await ask(user, "global");
    const copy = await ask(other, "global", WITH_FILE, { idempotencyKey: "k" });
    expect(await ask(other, "global", WITH_FILE, { idempotencyKey: "k" })).toMatchObject({
      created: false,
      job: { id: copy.job.id },
    });
    await expect(
      ask(other, "global", WITH_FILE, { idempotencyKey: "k", input: { n: 2 } }),
    ).rejects.toMatchObject({
      code: "PB001",
    });
    await expect(ask(OTHERS, "global")).rejects.toMatchObject({ code: "23503" });
    expect(first.claims).toHaveLength(1);
  });

  it("keeps the key of a request that an earlier job served, for as long as that job is there", async () => {
    const first = await ask(user, "user", WITH_FILE, { idempotencyKey: "first" });
    const served = { created: false, job: { id: first.job.id } };
    const second = { idempotencyKey: "second" };
    expect(await ask(user, "user", WITH_FILE, second)).toMatchObject(served);
    await expect(ask(user, "user", WITH_FILE, { ...second, input: { n: 2 } })).rejects.toMatchObject({
      code: "PB001",
    });
    await complete(first.claims[0]!);
    // Its result is too old for new requests by then, but this one is not new.
    await engine.clock(61);
    expect(await ask(user, "user", WITH_FILE, second)).toMatchObject(served);
    expect((await ask(user, "user")).created).toBe(true);
  });
});
