import { createPodbase } from "@podbase/client";
import { createPodbaseServer, type ServerEvent } from "@podbase/client/server";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import ws from "ws";
import { jobs } from "../../supabase/functions/_shared/jobs.ts";
import { eventually } from "./harness.ts";
import { finishJobs, insertJobs } from "./watching-bulk.ts";
import { startWatchingStack, type WatchingStack } from "./watching-stack.ts";

let watching: WatchingStack;
beforeAll(async () => {
  watching = await startWatchingStack({ page: false });
}, 120_000);
afterAll(() => watching?.stop());

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const connect = (key: string, transport: unknown = ws): SupabaseClient =>
  createClient(watching.stack.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: transport as never },
  });

/** A server's client, with what it tells. */
const openServer = () => {
  const server = createPodbaseServer(connect(watching.stack.secretKeys.default ?? ""), { jobs, pollMs: 200 });
  closing.push(server.close);
  const told: string[] = [];
  for (const event of ["submitted", "progress", "completed", "failed", "canceled"] as ServerEvent[]) {
    server.on(event, (job) => told.push(`${event} ${job.id}`));
  }
  return {
    server,
    told,
    of: (id: string) => told.filter((line) => line.endsWith(id)).map((line) => line.split(" ")[0]),
  };
};

/** A person's client, signed in. */
const openPerson = async (transport?: unknown) => {
  const supabase = connect(watching.stack.publishableKey, transport);
  const { data } = await supabase.auth.signInAnonymously();
  const podbase = createPodbase<typeof jobs>(supabase);
  closing.push(() => podbase.close());
  return { podbase, userId: data.user?.id ?? "" };
};

const INPUT = { name: "Ada", birthDate: "1815-12-10", question: "", voice: "alto" } as const;

describe("a server with a secret key", () => {
  it("submits for a user, who can watch the job, and hears how it goes on", async () => {
    const [{ server, of }, person] = [openServer(), await openPerson()];
    const { data: job, error } = await server.submit("reading", INPUT, { userId: person.userId });
    expect(error).toBeNull();
    const id = job?.id ?? "";
    watching.finish(id);
    const [forServer, forPerson] = await Promise.all([
      server.awaitResult(id),
      person.podbase.jobs.awaitResult(id),
    ]);
    expect(forServer.status).toBe("completed");
    expect(forPerson).toEqual(forServer);
    const events = of(id);
    expect([events[0], events.at(-1)]).toEqual(["submitted", "completed"]);
    expect(events.filter((event) => event === "completed")).toHaveLength(1);
    expect(events).toContain("progress");
  });

  it("makes one job of one key, refuses bad input without asking, and cancels", async () => {
    const [{ server, of }, person] = [openServer(), await openPerson()];
    const options = { userId: person.userId, idempotencyKey: "once" };
    const [first, second] = [
      await server.submit("reading", INPUT, options),
      await server.submit("reading", INPUT, options),
    ];
    expect(second.data?.id).toBe(first.data?.id);
    expect((await server.submit("reading", { ...INPUT, birthDate: "soon" }, options)).error).toMatchObject({
      code: "invalid_input",
      issues: [{ path: ["input", "birthDate"] }],
    });
    const id = first.data?.id ?? "";
    expect(of(id).filter((event) => event === "submitted")).toHaveLength(1);
    expect((await server.cancel(id)).data?.id).toBe(id);
    expect((await server.awaitResult(id)).status).toBe("canceled");
    expect((await server.cancel(crypto.randomUUID())).error?.code).toBe("job_not_found");
  });

  it("takes up after a restart what is pending, whoever asked for it", async () => {
    const [first, person] = [openServer(), await openPerson()];
    const mine = await first.server.submit("reading", INPUT, { userId: person.userId });
    const theirs = await person.podbase.jobs.request("reading", INPUT);
    first.server.close();
    const ids = [mine.data?.id ?? "", theirs.data?.id ?? ""];
    const second = openServer();
    const { data } = await second.server.recoverAllPending();
    expect(data?.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    for (const id of ids) watching.finish(id);
    await eventually(() => ids.every((id) => second.of(id).includes("completed")));
  });

  it("takes up all that is pending, also thousands", async () => {
    const [{ server }, person] = [openServer(), await openPerson()];
    await insertJobs(watching, person.userId, 1_100);
    const { data } = await server.recoverAllPending();
    server.close();
    await finishJobs(watching, person.userId);
    expect(new Set(data?.map(({ id }) => id)).size).toBeGreaterThanOrEqual(1_100);
    expect((await openServer().server.recoverAllPending()).data).toEqual([]);
  });

  it("ends a wait by signal, at its close, and for what does not exist", async () => {
    const { server } = openServer();
    const stop = new AbortController();
    const aborted = server.awaitResult(crypto.randomUUID(), { signal: stop.signal });
    stop.abort();
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    await expect(server.awaitResult(crypto.randomUUID())).rejects.toMatchObject({ code: "job_not_found" });
    const closed = server.awaitResult(crypto.randomUUID());
    server.close();
    await expect(closed).rejects.toMatchObject({ code: "closed" });
  });

  it("needs the secret key", async () => {
    const server = createPodbaseServer(connect(watching.stack.publishableKey), { jobs });
    expect((await server.get(crypto.randomUUID())).error?.code).toBe("unauthorized");
  });
});

describe("a person's client on the real stack", () => {
  it("hears few and small messages of a job, which say nothing but where it stands", async () => {
    const frames: string[] = [];
    class Recorded extends ws {
      constructor(...args: ConstructorParameters<typeof ws>) {
        super(...args);
        this.on("message", (data) => void frames.push(Buffer.from(data as ArrayBuffer).toString()));
      }
    }
    const { podbase } = await openPerson(Recorded);
    const { data: first } = await podbase.jobs.request("reading", INPUT);
    const id = first?.id ?? "";
    const result = podbase.jobs.awaitResult(id);
    await eventually(() => podbase.connection === "live");
    watching.finish(id);
    const job = await result;
    const messages = frames.filter((frame) => frame.includes(id));
    const bytes = messages.join("").length;
    console.log(
      `Realtime, from the first task at work to the job's end: ${messages.length} messages, ${bytes} bytes`,
    );
    // Three tasks: queued, submitted, running, half done, completed; each of them once at most.
    expect(messages.length).toBeGreaterThan(3);
    expect(messages.length).toBeLessThan(25);
    expect(bytes / messages.length).toBeLessThan(600);
    const said = messages.join();
    const attempts = await watching.stack.sql<{ id: string; provider: string }[]>`
      select a.id, a.provider_id as provider from podbase_private.attempts a
      join podbase.tasks t on t.id = a.task_id where t.job_id = ${id}`;
    expect(attempts.length).toBeGreaterThan(2);
    for (const secret of [
      ...attempts.flatMap(({ id, provider }) => [id, provider]),
      ...Object.values(job.input),
      ...Object.values(job.tasks).flatMap(({ output }) => Object.values(output ?? {})),
    ]) {
      if (secret !== "") expect(said).not.toContain(String(secret));
    }
  });

  it("restores what runs and what ended unseen, until it is marked as seen, and estimates from history", async () => {
    const { podbase } = await openPerson();
    const { data: done } = await podbase.jobs.request("reading", INPUT);
    const { data: open } = await podbase.jobs.request("reading", { ...INPUT, name: "Grace" });
    watching.finish(done?.id ?? "");
    await podbase.jobs.awaitResult(done?.id ?? "");
    const restored = async () => (await podbase.jobs.restore()).data?.map(({ id }) => id);
    expect(await restored()).toEqual([open?.id, done?.id]);
    expect((await podbase.jobs.markSeen(done?.id ?? "")).data?.seenAt).not.toBeNull();
    expect(await restored()).toEqual([open?.id]);
    const { data: estimate, error } = await podbase.jobs.estimate(open?.id ?? "");
    expect(error).toBeNull();
    expect(Object.keys(estimate?.tasks ?? {}).sort()).toEqual(["audio", "pdf", "text"]);
    expect(Date.parse(estimate?.latest ?? "")).toBeGreaterThanOrEqual(Date.parse(estimate?.likely ?? ""));
    expect((await podbase.jobs.queuePosition(open?.id ?? "")).error).toBeNull();
    expect((await podbase.jobs.retry(done?.id ?? "")).error?.code).toBe("not_retryable");
    await podbase.jobs.cancel(open?.id ?? "");
    await podbase.jobs.awaitResult(open?.id ?? "");
    const { data: again } = await podbase.jobs.retry(open?.id ?? "");
    expect(again?.status).toMatch(/queued|processing/);
    watching.finish(open?.id ?? "");
    expect((await podbase.jobs.awaitResult(open?.id ?? "")).status).toBe("completed");
  });
});
