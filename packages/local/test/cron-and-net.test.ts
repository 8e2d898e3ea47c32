import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startCron, startNet, type Worker } from "../src/database-workers/index.ts";
import type { TestDatabase } from "../src/test-cluster.ts";
import { createTestDatabase } from "../src/testing.ts";

let database: TestDatabase;
let owner: postgres.Sql;
const log: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ migrations: false });
  owner = postgres(database.ownerUrl, { max: 4, onnotice: () => {} });
  await owner`create extension pg_cron with schema pg_catalog`;
  await owner`create extension pg_net with schema extensions`;
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

describe("the cron worker", () => {
  let worker: Worker;
  beforeEach(async () => {
    worker = await startCron({ superuserUrl: database.superuserUrl, log: (line) => log.push(line) });
  });
  afterEach(async () => {
    await owner`select cron.unschedule(jobid) from cron.job`;
    await worker.stop();
  });

  const runs = (name: string) =>
    owner<{ status: string; return_message: string; username: string }[]>`
      select d.status, d.return_message, d.username from cron.job_run_details as d
      join cron.job as j using (jobid) where j.jobname = ${name} and d.end_time is not null order by d.runid`;

  test("runs a new job as its owner, with that role's settings, and records each run", async () => {
    await owner`create table public.beats (who text, timeout text, search_path text)`;
    await owner`select cron.schedule('beat', '1 second', ${`insert into public.beats
      select current_user, current_setting('statement_timeout'), current_setting('search_path')`})`;
    await vi.waitFor(async () => expect((await runs("beat")).length).toBeGreaterThan(1), 10_000);
    expect((await runs("beat"))[0]).toEqual({
      status: "succeeded",
      return_message: "INSERT 1",
      username: "postgres",
    });
    expect((await owner`select * from public.beats`)[0]).toEqual({
      who: "postgres",
      timeout: "2min",
      search_path: '"$user", public, extensions',
    });
  });

  test("records an error of the command and goes on", async () => {
    await owner`select cron.schedule('broken', '1 second', 'select 1/0')`;
    await vi.waitFor(async () => expect((await runs("broken")).length).toBeGreaterThan(1), 10_000);
    expect((await runs("broken"))[0]).toMatchObject({
      status: "failed",
      return_message: "ERROR:  division by zero",
    });
  });

  test("a run under way at the stop is ended and recorded as failed", async () => {
    await owner`select cron.schedule('slow', '1 second', 'select pg_sleep(600)')`;
    const status = () => owner`
      select status from cron.job_run_details where command like '%pg_sleep(600)%' order by runid desc limit 1`;
    await vi.waitFor(async () => expect(await status()).toEqual([{ status: "running" }]), 10_000);
    await worker.stop();
    expect(await status()).toEqual([{ status: "failed" }]);
  });

  test("knows of a job that no notice told of", async () => {
    const admin = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
    await admin`alter table cron.job disable trigger cron_job_cache_invalidate`;
    try {
      await worker.stop();
      worker = await startCron({ ...database, log: (line) => log.push(line), rereadMs: 50 });
      await owner`select cron.schedule('quiet', '1 second', 'select 1')`;
      await vi.waitFor(async () => expect(await runs("quiet")).not.toEqual([]), 10_000);
    } finally {
      await admin`alter table cron.job enable trigger cron_job_cache_invalidate`;
      await admin.end();
    }
  });

  test("callers see their own jobs and change them by the functions alone", async () => {
    await owner`select cron.schedule('mine', '0 3 * * *', 'select 1')`;
    await expect(owner`update cron.job set command = 'x'`).rejects.toThrow("permission denied");
    await expect(owner`select cron.schedule('bad', '61 * * * *', 'select 1')`).rejects.toThrow(
      "invalid schedule",
    );
    await expect(owner`select cron.schedule('bad', '60 seconds', 'select 1')`).rejects.toThrow(
      "invalid schedule",
    );
    await owner`select cron.schedule('mine', '0 4 * * *', 'select 2')`;
    expect(await owner`select schedule, command, username from cron.job where jobname = 'mine'`).toEqual([
      { schedule: "0 4 * * *", command: "select 2", username: "postgres" },
    ]);
    const other = owner.begin(async (tx) => {
      await tx`set local role service_role`;
      return tx`select cron.schedule('x', '0 3 * * *', 'select 1')`;
    });
    await expect(other).rejects.toThrow("permission denied");
  });
});

describe("the net worker", () => {
  let worker: Worker | undefined;
  let server: Server;
  let url: string;
  const seen: {
    method: string | undefined;
    path: string | undefined;
    body: string;
    type: string | undefined;
  }[] = [];
  const read = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      seen.push({
        method: request.method,
        path: request.url,
        body: await read(request),
        type: request.headers["content-type"],
      });
      if (request.url?.startsWith("/hang")) return;
      response.writeHead(201, { "content-type": "text/plain", "x-one": "1" }).end("made");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen.length = 0;
  });
  afterEach(async () => {
    await worker?.stop();
    worker = undefined;
  });
  const start = async (options: { sweepMs?: number } = {}) => {
    worker = await startNet({ ...database, ...options, log: (line) => log.push(line), pauseMs: 10 });
  };
  const response = async (id: string) => {
    await vi.waitFor(
      async () => expect(await owner`select from net._http_response where id = ${id}`).toHaveLength(1),
      10_000,
    );
    const [row] = await owner`select * from net._http_response where id = ${id}`;
    return row;
  };
  const post = async (sql: postgres.Sql | postgres.TransactionSql, path: string, timeoutMs = 5000) => {
    const [row] = await sql<{ id: string }[]>`
      select net.http_post(${url + path}, '{"a": 1}'::jsonb, timeout_milliseconds => ${timeoutMs}) as id`;
    return row?.id as string;
  };

  test("sends after commit and stores the answer", async () => {
    await start();
    const id = await owner.begin(async (tx) => {
      const queued = await post(tx, "/hook");
      await tx`select pg_sleep(0.2)`;
      expect(seen).toEqual([]);
      return queued;
    });
    expect(await response(id)).toMatchObject({
      status_code: 201,
      content_type: "text/plain",
      content: "made",
      timed_out: false,
      error_msg: null,
      headers: expect.objectContaining({ "x-one": "1" }),
    });
    expect(seen).toEqual([{ method: "POST", path: "/hook", body: '{"a": 1}', type: "application/json" }]);
    expect(await owner`select from net.http_request_queue`).toHaveLength(0);
  });

  test("a rolled back request is never sent", async () => {
    await start();
    const undone = owner.begin(async (tx) => {
      await post(tx, "/undone");
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await response(await post(owner, "/after"));
    expect(seen.map(({ path }) => path)).toEqual(["/after"]);
  });

  test("what no notice told of is sent all the same", async () => {
    const admin = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
    try {
      await start({ sweepMs: 50 });
      await response(await post(owner, "/awake"));
      const [row] = await admin<{ id: string }[]>`
        insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
        values ('POST', ${`${url}/quiet`}, '{}', '{}', 5000) returning id`;
      expect(await response(row?.id as string)).toMatchObject({ status_code: 201 });
    } finally {
      await admin.end();
    }
  });

  test("what was queued while no worker ran is sent at its start", async () => {
    const id = await post(owner, "/early");
    await start();
    expect(await response(id)).toMatchObject({ status_code: 201 });
  });

  test("a timeout and a refused connection end in rows", async () => {
    await start();
    const hanging = await post(owner, "/hang", 150);
    expect(await response(hanging)).toMatchObject({ status_code: null, timed_out: true });
    const [refused] = await owner<{ id: string }[]>`select net.http_get('http://127.0.0.1:1/') as id`;
    expect(await response(refused?.id as string)).toMatchObject({
      status_code: null,
      timed_out: false,
      error_msg: expect.any(String),
    });
  });

  test("a batch that was cut off is sent again by the next worker", async () => {
    await start();
    await post(owner, "/hang?cut", 60_000);
    await vi.waitFor(() => expect(seen).toHaveLength(1), 10_000);
    await worker?.stop();
    expect(await owner`select from net.http_request_queue`).toHaveLength(1);
    await start();
    await vi.waitFor(() => expect(seen).toHaveLength(2), 10_000);
    await worker?.stop();
    await owner`delete from net.http_request_queue`;
  });

  test("another content type raises in the caller's transaction", async () => {
    await expect(
      owner`select net.http_post(${url}, headers => '{"content-type": "text/plain"}')`,
    ).rejects.toThrow('Content-Type header must be "application/json"');
  });
});
