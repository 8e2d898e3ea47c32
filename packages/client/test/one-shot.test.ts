import { describe, expect, it } from "vitest";
import { createPodbase } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { artifactRow, jobId, jobRow, taskRow } from "./support/rows.ts";

const setUp = () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const podbase = createPodbase(supabase.client, { runtime });
  return { supabase, runtime, podbase };
};

describe("reading a job once", () => {
  it("maps the row, with tasks by name and their artifacts by name", async () => {
    const { supabase, podbase } = setUp();
    const text = taskRow("text", { status: "completed", phase: "done", output: { text: "Once" } });
    const row = jobRow(1, { tasks: [text, taskRow("audio")], artifacts: [artifactRow("text", "text")] });
    supabase.database.insert(row);
    const { data, error } = await podbase.jobs.get(jobId(1));
    expect(error).toBeNull();
    expect(data).toMatchObject({ id: jobId(1), createdAt: row.created_at, idempotencyKey: null });
    expect(data?.tasks.text).toMatchObject({
      output: { text: "Once" },
      artifacts: { text: { path: "user/job/text/attempt/text", contentType: "text/markdown", bytes: 12 } },
    });
    expect(data?.tasks.audio).toMatchObject({ status: "queued", output: null, artifacts: {} });
  });

  it("has the items of a map in their order", async () => {
    const { supabase, podbase } = setUp();
    const names = ["image[10]", "image[2]", "image", "image[0]"];
    supabase.database.insert(jobRow(1, { tasks: names.map((name) => taskRow(name)) }));
    const { data } = await podbase.jobs.get(jobId(1));
    expect(Object.keys(data?.tasks ?? {})).toEqual(["image", "image[0]", "image[2]", "image[10]"]);
  });

  it("asks schema podbase for a whole job in one statement", async () => {
    const { supabase, podbase } = setUp();
    await podbase.jobs.get(jobId(1));
    expect(supabase.asked[0]?.headers.get("content-profile")).toBe("podbase");
    expect(supabase.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /rest/v1/rpc/find_jobs",
    ]);
  });

  it("returns null for a job that the user does not have", async () => {
    expect(await setUp().podbase.jobs.get(jobId(9))).toEqual({ data: null, error: null });
  });

  it("knows without asking that there is no job of what is no id", async () => {
    const { supabase, podbase } = setUp();
    expect(await podbase.jobs.get("nope")).toEqual({ data: null, error: null });
    for (const call of ["cancel", "retry", "markSeen", "estimate", "queuePosition"] as const) {
      expect(await podbase.jobs[call]("")).toMatchObject({ data: null, error: { code: "job_not_found" } });
    }
    expect(supabase.asked).toEqual([]);
  });

  it.each([
    [401, { code: "PGRST301", message: "JWT expired" }, "unauthorized"],
    [403, { code: "42501", message: "permission denied for schema podbase" }, "unauthorized"],
    [406, { code: "PGRST106", message: "Invalid schema: podbase" }, "not_installed"],
    [404, { code: "PGRST205", message: "Could not find the table" }, "not_installed"],
    [400, { code: "22P02", message: "invalid input syntax for type uuid" }, "invalid_input"],
    [500, { code: "XX000", message: "internal error" }, "server_error"],
  ])("turns %i %o into an error", async (status, body, code) => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json(body, status));
    expect(await podbase.jobs.get(jobId(1))).toMatchObject({
      data: null,
      error: { code, status, message: body.message },
    });
  });
});

describe("listing jobs", () => {
  it("returns the newest first, as many and of such status as asked", async () => {
    const { supabase, podbase } = setUp();
    for (const n of [1, 2, 3]) supabase.database.insert(jobRow(n, n === 2 ? { status: "failed" } : {}));
    const ids = async (filter?: Parameters<typeof podbase.jobs.list>[0]) =>
      (await podbase.jobs.list(filter)).data?.map((job) => job.id);
    expect(await ids()).toEqual([jobId(3), jobId(2), jobId(1)]);
    expect(await ids({ limit: 1 })).toEqual([jobId(3)]);
    expect(await ids({ status: "failed" })).toEqual([jobId(2)]);
    expect(await ids({ status: ["queued", "processing"] })).toEqual([jobId(3), jobId(1)]);
  });
});

describe("canceling a job", () => {
  it("calls the database's function and returns the job as it is then", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json(jobRow(1, { phase: "canceling" })));
    expect(await podbase.jobs.cancel(jobId(1))).toMatchObject({ data: { phase: "canceling" }, error: null });
    expect(supabase.asked[0]).toMatchObject({
      method: "POST",
      path: "/rest/v1/rpc/cancel_job",
      body: { job_id: jobId(1) },
    });
  });

  it("tells when the user has no such job", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json({ code: "PB005", message: "you have no such job" }, 400));
    expect(await podbase.jobs.cancel(jobId(1))).toMatchObject({ error: { code: "job_not_found" } });
  });
});

describe("functions about one job", () => {
  it.each([
    ["retry", "retry_job"],
    ["markSeen", "mark_seen"],
  ] as const)("%s calls %s and returns the job as it is then", async (method, name) => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json(jobRow(1, { phase: "queued" })));
    expect(await podbase.jobs[method](jobId(1))).toMatchObject({ data: { id: jobId(1) }, error: null });
    expect(supabase.asked[0]).toMatchObject({ path: `/rest/v1/rpc/${name}`, body: { job_id: jobId(1) } });
  });

  it("tell when there is nothing to try again", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json({ code: "PB006", message: "only what failed" }, 400));
    expect(await podbase.jobs.retry(jobId(1))).toMatchObject({ error: { code: "not_retryable" } });
  });

  it("tell when it may be done", async () => {
    const { supabase, podbase } = setUp();
    const times = { likely: "2026-01-01T00:01:00+00:00", latest: "2026-01-01T00:02:00+00:00" };
    const text = { cold: true, samples: 9, waitP50: 1, waitP90: 2, runP50: 3, runP90: 4, ...times };
    supabase.intercept(() => json({ ...times, tasks: { text } }));
    expect((await podbase.jobs.estimate(jobId(1))).data).toEqual({
      ...times,
      tasks: {
        text: {
          ...times,
          cold: true,
          samples: 9,
          waiting: { p50Ms: 1, p90Ms: 2 },
          running: { p50Ms: 3, p90Ms: 4 },
        },
      },
    });
  });

  it("tell the place in the queue, null when there is none", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json({ position: 3, capped: false }));
    expect((await podbase.jobs.queuePosition(jobId(1))).data).toEqual({ position: 3, capped: false });
    supabase.intercept(() => json(null));
    expect(await podbase.jobs.queuePosition(jobId(1))).toEqual({ data: null, error: null });
  });
});

describe("artifacts", () => {
  const artifact = {
    name: "text",
    task: "text",
    path: "ada/job/text/attempt/text",
    contentType: "text/markdown",
    bytes: 4,
    sha256: null,
    createdAt: "",
  };

  it("have addresses for as long as asked", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => json({ signedURL: "/object/sign/podbase/ada?token=t" }));
    const { data } = await podbase.artifacts.url(artifact, { expiresInS: 60 });
    expect(data).toBe("http://podbase.test/storage/v1/object/sign/podbase/ada?token=t");
    expect(supabase.asked[0]).toMatchObject({
      path: "/storage/v1/object/sign/podbase/ada/job/text/attempt/text",
      body: { expiresIn: 60 },
    });
  });

  it("have addresses that are handed out again while fresh and signed anew later", async () => {
    const { supabase, podbase, runtime } = setUp();
    supabase.intercept(() => json({ signedURL: `/object/sign/podbase/ada?token=${supabase.asked.length}` }));
    const ask = async (options = {}) => (await podbase.artifacts.url(artifact, options)).data;
    const first = await ask();
    await runtime.advance(2_800_000);
    expect(await ask()).toBe(first);
    await runtime.advance(100_000);
    expect(await ask()).not.toBe(first);
    expect(await ask({ download: "reading.md" })).toMatch(/download=reading\.md/);
  });

  it("can be downloaded", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() => new Response("once"));
    const { data } = await podbase.artifacts.download(artifact);
    expect(await data?.text()).toBe("once");
  });

  it("tell when they are gone, as Storage puts the true status into its body", async () => {
    const { supabase, podbase } = setUp();
    supabase.intercept(() =>
      json({ statusCode: "404", error: "not_found", message: "Object not found" }, 400),
    );
    expect(await podbase.artifacts.url(artifact)).toMatchObject({
      data: null,
      error: { code: "not_found", status: 404 },
    });
    supabase.intercept(() => new TypeError("fetch failed"));
    expect(await podbase.artifacts.download(artifact)).toMatchObject({
      error: { code: "network", status: null },
    });
  });
});
