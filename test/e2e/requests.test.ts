import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { loadKeys } from "../../packages/local/src/keys.ts";
import { demoOfFile, finished, INPUT, newClient, requestReading, signUp } from "./harness.ts";

const { demo, alice } = await demoOfFile({ coldStartMs: 2000 });

const invoke = (
  body: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${alice.token}` },
) =>
  fetch(`${demo.stack.url}/functions/v1/request-job`, {
    method: "POST",
    headers: { "content-type": "application/json", apikey: demo.stack.publishableKey, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const jobs = async () => Number((await demo.stack.sql`select count(*) from podbase.jobs`)[0]?.count);

describe("request-job under Deno", () => {
  it.each([
    [
      "an impossible date",
      { kind: "reading", input: { ...INPUT, birthDate: "1988-02-30" } },
      ["input", "birthDate"],
    ],
    [
      "a day that is still to come",
      { kind: "reading", input: { ...INPUT, birthDate: "9999-12-31" } },
      ["input", "birthDate"],
    ],
    [
      "a day before the calendar",
      { kind: "reading", input: { ...INPUT, birthDate: "0000-05-01" } },
      ["input", "birthDate"],
    ],
    [
      "a name that can't be seen",
      { kind: "reading", input: { ...INPUT, name: "\u200e\u0007" } },
      ["input", "name"],
    ],
    ["an unknown voice", { kind: "reading", input: { ...INPUT, voice: "tenor" } }, ["input", "voice"]],
    ["a missing field", { kind: "reading", input: {} }, ["input", "name"]],
    ["malformed JSON", "{", []],
  ])("answers 400 with the path to %s and stores nothing", async (_what, body, path) => {
    const before = await jobs();
    const response = await invoke(body);
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect(error.code).toBe("invalid_input");
    expect(error.issues[0]).toEqual({ path, message: expect.any(String) });
    expect(await jobs()).toBe(before);
  });

  it("answers 404 to an unknown kind, 413 to more than 1 MiB and 405 to a GET", async () => {
    const unknown = await invoke({ kind: "film", input: {} });
    expect([unknown.status, (await unknown.json()).error.code]).toEqual([404, "unknown_job_kind"]);
    const large = await invoke({ kind: "reading", input: { ...INPUT, question: "x".repeat(1024 * 1024) } });
    expect([large.status, (await large.json()).error.code]).toEqual([413, "payload_too_large"]);
    const got = await fetch(`${demo.stack.url}/functions/v1/request-job`);
    expect(got.status).toBe(405);
  });

  it("answers 401 without a user: no token, an expired, a foreign, an unsigned one, or a key as Bearer", async () => {
    const own = await loadKeys(demo.dataDir);
    const foreign = await mkdtemp(join(tmpdir(), "podbase-keys-"));
    const other = await loadKeys(foreign);
    await rm(foreign, { recursive: true });
    const claims = { sub: alice.user, role: "authenticated", aud: "authenticated" };
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ ...claims, exp: 9e9 }))}.`;
    const [publicKey] = own.jwks.keys;
    // HS256 with the public key for a secret: who let the token choose the algorithm would take it.
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: String(publicKey?.kid) })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(JSON.stringify(publicKey)));
    const tokens = {
      none: {},
      expired: { authorization: `Bearer ${await own.sign(claims, -60)}` },
      foreign: { authorization: `Bearer ${await other.sign(claims, 60)}` },
      unsigned: { authorization: `Bearer ${unsigned}` },
      confused: { authorization: `Bearer ${confused}` },
      secretKey: { authorization: `Bearer ${demo.stack.secretKeys.default}` },
      publishableKey: { authorization: `Bearer ${demo.stack.publishableKey}` },
    };
    const before = await jobs();
    for (const [name, headers] of Object.entries(tokens)) {
      const response = await invoke({ kind: "reading", input: INPUT }, headers as Record<string, string>);
      expect([name, response.status]).toEqual([name, 401]);
    }
    expect(await jobs()).toBe(before);
  });

  it("gives the same job for the same key and input with 200, and 409 for another input", async () => {
    const body = { kind: "reading", input: INPUT, idempotencyKey: crypto.randomUUID() };
    const [first, second] = await Promise.all([invoke(body), invoke(body)]);
    expect([first.status, second.status].sort()).toEqual([200, 202]);
    const [one, other] = [await first.json(), await second.json()];
    expect(one.jobId).toBe(other.jobId);
    for (const { job } of [one, other]) {
      expect(job.tasks.map((task: { name: string }) => task.name)).toEqual(["text", "audio", "pdf"]);
    }
    const changed = await invoke({ ...body, input: { ...INPUT, name: "Max" } });
    const { error } = await changed.json();
    expect([changed.status, error.code, error.issues[0].path]).toEqual([
      409,
      "idempotency_conflict",
      ["idempotencyKey"],
    ]);
  });
});

describe("runpod-webhook under Deno", () => {
  it("answers 401 to a forged token and does nothing; a replay of the right one changes nothing", async () => {
    const id = await requestReading(alice.supabase);
    const [attempt] = await demo.stack.sql`
      select a.id from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id where t.job_id = ${id}`;
    const address = `${demo.stack.url}/functions/v1/runpod-webhook/reading/text/${attempt?.id}`;
    const send = (url: string) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: "x", status: "COMPLETED", output: { text: "forged" } }),
      });
    for (const url of [address, `${address}?token=${"0".repeat(64)}`, `${address}?token=`]) {
      expect((await send(url)).status).toBe(401);
    }
    const received = await demo.simulator.until(
      (event) => event.type === "webhook" && event.endpoint === "reading-text" && event.answer === 200,
    );
    expect(received).toBeDefined();
    const done = await finished(alice.supabase, id);
    const text = done.tasks.find((task: { name: string }) => task.name === "text");
    expect(text.output.text).not.toContain("forged");
  }, 90_000);
});

describe("reconcile under Deno", () => {
  it("is for secret keys only", async () => {
    const call = (headers: Record<string, string>) =>
      fetch(`${demo.stack.url}/functions/v1/reconcile`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: "{}",
      });
    expect((await call({})).status).toBe(401);
    expect((await call({ apikey: demo.stack.publishableKey })).status).toBe(401);
    expect((await call({ authorization: `Bearer ${alice.token}` })).status).toBe(401);
    expect((await call({ apikey: demo.stack.secretKeys.podbase ?? "" })).status).toBe(202);
  });
});

describe("a result that is shared among users", () => {
  it("is read from Storage by who asked second, and by nobody else", async () => {
    const [first, second, stranger] = [await signUp(demo), await signUp(demo), await signUp(demo)];
    const sql = demo.stack.sql;
    const ask = async (user: string) => {
      const tasks = [{ name: "text", route: "text", artifacts: { text: "text/markdown" } }];
      const plan = { tasks, reuse: { scope: "global", ttlMs: 3_600_000 } };
      const request = { user, kind: "reading", input: INPUT, plan };
      const [row] = await sql`select podbase.submit_job(${sql.json(request)}) as r`;
      // Nobody is here to post what the call claimed, so it is given back for reconcile.
      const unsent = row!.r.claims.map(({ attempt }: { attempt: string }) => ({
        attempt,
        outcome: "not_sent",
      }));
      await sql`select podbase.record_submissions(${sql.json(unsent)})`;
      return row!.r.job.id as string;
    };
    await finished(first.supabase, await ask(first.user));
    const copy = await finished(second.supabase, await ask(second.user));
    const [{ path }] = copy.artifacts;
    expect(path).toContain(first.user);
    const read = async (client: typeof first.supabase) => {
      const files = client.storage.from("podbase");
      const [link, file] = [await files.createSignedUrl(path, 60), await files.download(path)];
      return [link.error, file.error, await file.data?.text()];
    };
    expect(await read(second.supabase)).toEqual([null, null, copy.tasks[0].output.text]);
    const [link, file] = await read(stranger.supabase);
    expect([link, file]).toEqual([expect.any(Error), expect.any(Error)]);
  }, 90_000);
});

describe("a job that is deleted", () => {
  it("takes its files out of Storage with it", async () => {
    const carol = await signUp(demo);
    const id = await requestReading(carol.supabase);
    const { artifacts } = await finished(carol.supabase, id);
    const paths = artifacts.map(({ path }: { path: string }) => path) as string[];
    expect(paths).toHaveLength(3);
    const stored = async () =>
      (await demo.stack.sql`select from storage.objects where name = any (${paths})`).length;
    expect(await stored()).toBe(3);
    await demo.stack.sql`delete from podbase.jobs where id = ${id}`;
    await expect.poll(stored, { timeout: 60_000, interval: 250 }).toBe(0);
  }, 90_000);
});

describe("when every webhook is lost", () => {
  it("the reconciler brings the reading to its end", async () => {
    // What cron and the polls do in a minute, in seconds.
    await demo.stack
      .sql`select cron.alter_job(jobid, schedule => '1 second') from cron.job where jobname = 'podbase-tick'`;
    await demo.stack.sql`select cron.schedule('hurry', '1 second', 'update podbase_private.attempts
      set next_check_at = now() where state in (''in_queue'', ''in_progress'') and next_check_at is not null')`;
    const lift = demo.simulator.inject({ fault: "webhook_drop" });
    const id = await requestReading(alice.supabase, { ...INPUT, name: "Unheard" });
    expect((await finished(alice.supabase, id)).status).toBe("completed");
    lift();
  }, 120_000);
});

it("a canceled reading ends as canceled, and its worker is told", async () => {
  const bob = await signUp(demo);
  const id = await requestReading(bob.supabase);
  const { data, error } = await bob.supabase.schema("podbase").rpc("cancel_job", { job_id: id });
  expect(error).toBeNull();
  expect(data.id).toBe(id);
  expect((await finished(bob.supabase, id)).status).toBe("canceled");
  expect((await newClient(demo).schema("podbase").rpc("my_jobs")).error?.code).toBe("42501");
});
