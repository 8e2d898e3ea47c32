import { afterAll, beforeAll, expect, test } from "vitest";
import { ALICE, BOB, startRest, type TestRest } from "./rest-fixture.ts";

const JOB = "10000000-0000-4000-8000-000000000000";

let rest: TestRest;
beforeAll(async () => {
  rest = await startRest({ migrations: true });
  await rest.sql`insert into auth.users (id, email) values (${ALICE}, 'a@podbase.test'), (${BOB}, 'b@podbase.test')`;
  await rest.sql`insert into podbase.jobs (id, user_id, kind, input) values (${JOB}, ${ALICE}, 'reading', '{"name":"Ada"}')`;
  const [task] = await rest.sql`
    insert into podbase.tasks (job_id, user_id, name, status) values (${JOB}, ${ALICE}, 'text', 'queued') returning id`;
  await rest.sql`
    insert into podbase.artifacts (job_id, task_id, user_id, task, name, path, content_type, bytes)
    values (${JOB}, ${task?.id}, ${ALICE}, 'text', 'text', 'somewhere', 'text/markdown', 9007199254740993)`;
});
afterAll(() => rest?.stop());

test("the project's jobs come with their tasks and artifacts, to their owner alone", async () => {
  const read = (client: TestRest["alice"]) =>
    client.schema("podbase").from("jobs").select("*, tasks(*), artifacts(*)");
  const { data, error } = await read(rest.alice);
  expect(error).toBeNull();
  expect(data).toMatchObject([
    {
      id: JOB,
      status: "queued",
      input: { name: "Ada" },
      notice: null,
      tasks: [{ job_id: JOB, name: "text", status: "queued" }],
      artifacts: [{ task: "text", content_type: "text/markdown" }],
    },
  ]);
  expect((await read(rest.bob)).data).toEqual([]);
  expect((await read(rest.anon)).status).toBe(401);
});

test("its functions are there for who may call them", async () => {
  const mine = await rest.alice.schema("podbase").rpc("my_jobs", { max_jobs: 5 });
  expect(mine.data).toMatchObject([{ id: JOB, tasks: [{ name: "text" }], artifacts: [{ name: "text" }] }]);
  const engine = await rest.alice.schema("podbase").rpc("claim_tasks", {});
  expect([engine.status, engine.error?.code]).toEqual([403, "42501"]);
  const written = await rest.alice.schema("podbase").from("jobs").update({ kind: "x" }).eq("id", JOB);
  expect([written.status, written.error?.code]).toEqual([403, "42501"]);
  expect((await rest.alice.schema("podbase_private").from("attempts").select()).error?.code).toBe("PGRST106");
});
