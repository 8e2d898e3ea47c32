import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALICE, startRest, type TestRest } from "./rest-fixture.ts";

let rest: TestRest;
beforeAll(async () => {
  rest = await startRest();
  await rest.alice.from("projects").insert([
    { name: "b", client_id: 2 },
    { name: "a", client_id: 1 },
  ]);
});
afterAll(() => rest?.stop());

const post = (path: string, body: string) =>
  rest.raw(`/rpc/${path}`, { method: "POST", body, headers: { "content-type": "application/json" } });

describe("arguments", () => {
  test("by name, with defaults, by POST and GET", async () => {
    expect((await rest.alice.rpc("add", { a: 1, b: 2 })).data).toBe(3);
    expect((await rest.alice.rpc("add", { a: 1 })).data).toBe(11);
    expect((await rest.alice.rpc("add", { a: 1, b: 2 }, { get: true })).data).toBe(3);
  });

  test("variadic, arrays and enums", async () => {
    expect((await rest.alice.rpc("total", { numbers: [1, 2, 3] })).data).toBe(6);
    expect(await (await rest.raw("/rpc/total?numbers=4&numbers=5")).json()).toBe(9);
    expect((await rest.alice.rpc("join_up", { parts: ["a,b", 'c"d', "e"] })).data).toBe('a,b-c"d-e');
    expect((await rest.alice.rpc("join_up", { parts: ["x", "y"], sep: "+" }, { get: true })).data).toBe(
      "x+y",
    );
    expect((await rest.alice.rpc("mood_of", { m: "wild" })).data).toBe("wild");
    const wrong = await rest.alice.rpc("mood_of", { m: "bogus" });
    expect([wrong.status, wrong.error?.code, wrong.error?.message]).toEqual([
      400,
      "22P02",
      'invalid input value for enum mood: "bogus"',
    ]);
  });

  test.each([
    ['{"deep":[1,{"x":null}]}', "object"],
    ['"bare"', "string"],
    ["9007199254740993", "number"],
    ["[1,null]", "array"],
  ])("jsonb stays jsonb: %s", async (value, kind) => {
    expect(await (await post("kind", `{"value":${value}}`)).json()).toBe(kind);
    expect((await (await post("echo", `{"value":${value}}`)).text()).replaceAll(" ", "")).toBe(value);
  });

  test("the whole body, when the one argument has no name", async () => {
    expect(await (await post("body", '{"n":9007199254740993,"a":[1]}')).text()).toBe(
      '{"n":9007199254740993,"a":[1]}',
    );
    expect((await rest.alice.rpc("body", {})).data).toEqual({});
  });

  test("functions and arguments that aren't there", async () => {
    const missing = await rest.alice.rpc("ad", { x: 1 });
    expect([missing.status, missing.error?.code, missing.error?.message]).toEqual([
      404,
      "PGRST202",
      "Could not find the function public.ad(x) in the schema cache",
    ]);
    const wrong = await rest.alice.rpc("add", { a: 1, c: 2 });
    expect(wrong.error).toMatchObject({
      code: "PGRST202",
      hint: "Perhaps you meant to call the function public.add(a, b)",
    });
    expect((await rest.alice.rpc("private")).error?.code).toBe("PGRST202");
    const ambiguous = await rest.alice.rpc("pick", { a: 1 });
    expect([ambiguous.status, ambiguous.error?.code]).toEqual([300, "PGRST203"]);
  });

  test("bodies that are no arguments", async () => {
    expect((await post("add", "{")).status).toBe(400);
    expect((await post("add", '[{"a":1},{"a":2}]')).status).toBe(501);
    expect((await post("body", '"bare"')).status).toBe(501);
  });
});

describe("results", () => {
  test("void is 204", async () => {
    const { status, data, error } = await rest.alice.rpc("nothing");
    expect([status, data, error]).toEqual([204, null, null]);
  });

  test("sets of values, with range and count", async () => {
    expect((await rest.alice.rpc("letters")).data).toEqual(["a", "b", "c"]);
    const { data, count, status } = await rest.alice.rpc("letters", {}, { count: "exact" }).range(1, 1);
    expect([data, count, status]).toEqual([["b"], 3, 206]);
  });

  test("rows of a table, with filters, order, embeddings", async () => {
    const { data } = await rest.alice
      .rpc("my_projects")
      .select("name, client:client_id(name)")
      .gt("name", "0")
      .order("name", { ascending: false })
      .limit(1);
    expect(data).toEqual([{ name: "b", client: { name: "Bob" } }]);
    const get = await rest.alice
      .rpc("my_projects", {}, { get: true })
      .eq("name", "a")
      .select("name")
      .single();
    expect(get.data).toEqual({ name: "a" });
  });

  test("one row is one object", async () => {
    expect((await rest.alice.rpc("first_project").select("name, owner_id")).data).toEqual({
      name: "a",
      owner_id: ALICE,
    });
  });

  test("rows of no table", async () => {
    const { data } = await rest.alice
      .rpc("pairs")
      .select("y")
      .in("x", [1, 3])
      .order("x", { ascending: false });
    expect(data).toEqual([{ y: "three" }, { y: "one" }]);
  });

  test("a head counts", async () => {
    expect(await rest.alice.rpc("pairs", {}, { head: true, count: "exact" })).toMatchObject({
      data: null,
      count: 3,
    });
  });

  test("in another schema", async () => {
    expect((await rest.alice.schema("podbase").rpc("things_count")).data).toBe(2);
  });
});

describe("the transaction", () => {
  test("knows caller and request", async () => {
    const response = await rest.raw("/rpc/whoami", { headers: { "x-agent": "tests" } });
    expect(await response.json()).toEqual({
      role: "authenticated",
      session: "authenticator",
      uid: ALICE,
      method: "GET",
      path: "/rpc/whoami",
      agent: "tests",
      timeout: "8s",
      read_only: "on",
    });
  });

  test("only reads by GET", async () => {
    const { status, error } = await rest.alice.rpc("add_client", { name: "never" }, { get: true });
    expect([status, error?.code]).toEqual([405, "25006"]);
    expect((await rest.alice.rpc("add_client", { name: "Eve" })).data).toEqual(expect.any(Number));
  });

  test("has the role's time limit, the function's own first", async () => {
    const timeout = async (client: TestRest["alice"]) => (await client.rpc("whoami")).data.timeout;
    expect(await timeout(rest.anon)).toBe("3s");
    expect(await timeout(rest.alice)).toBe("8s");
    expect(await timeout(rest.service)).toBe("8s");
    const { status, error } = await rest.alice.rpc("hurried");
    expect([status, error?.code, error?.message]).toEqual([
      500,
      "57014",
      "canceling statement due to statement timeout",
    ]);
  });

  test("leaves nothing behind in the pooled connection", async () => {
    await Promise.all(Array.from({ length: 12 }, () => rest.alice.rpc("whoami")));
    const sessions = await Promise.all(
      Array.from(
        { length: 12 },
        () => rest.sql`select session_user, current_user, current_setting('statement_timeout') as timeout,
          current_setting('request.jwt.claims', true) as claims`,
      ),
    );
    for (const [session] of sessions)
      expect(session).toMatchObject({
        session_user: "supabase_admin",
        current_user: "supabase_admin",
        timeout: "0",
      });
    expect(sessions.every(([session]) => !session?.claims)).toBe(true);
  });

  test("may decide status and headers", async () => {
    const response = await post("decide", "{}");
    expect([response.status, response.headers.get("x-decided"), await response.json()]).toEqual([
      202,
      "yes",
      "ok",
    ]);
  });
});

describe("the schema cache", () => {
  test("finds at once what has just been made, and hears of changes", async () => {
    await rest.sql.unsafe("create function public.fresh(a int) returns int language sql as 'select 1'");
    expect((await rest.service.rpc("fresh", { a: 1 })).data).toBe(1);
    await rest.sql.unsafe("create table public.young (id int); grant all on public.young to service_role");
    expect((await rest.service.from("young").insert({ id: 1 })).error).toBeNull();
    await rest.sql.unsafe("alter table public.young add column more text");
    expect((await rest.service.from("young").insert({ more: "x" })).error).toBeNull();
    // A second function of the name makes the call ambiguous, which only a fresh reading knows.
    await rest.sql.unsafe("create function public.fresh(a text) returns int language sql as 'select 2'");
    await rest.sql`notify pgrst, 'reload schema'`;
    await expect
      .poll(async () => (await rest.service.rpc("fresh", { a: 1 })).error?.code, { timeout: 20_000 })
      .toBe("PGRST203");
  });
});
