import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALICE, startRest, type TestRest } from "./rest-fixture.ts";

let rest: TestRest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest?.stop());

const post = (path: string, body: string, headers: Record<string, string> = {}, method = "POST") =>
  rest.raw(path, { method, body, headers: { "content-type": "application/json", ...headers } });

describe("insert", () => {
  test("minimal sends nothing back", async () => {
    const { data, error, status } = await rest.alice.from("projects").insert({ name: "quiet" });
    expect([data, error, status]).toEqual([null, null, 201]);
  });

  test("representation sends what was selected, embeddings too", async () => {
    const { data, status } = await rest.alice
      .from("projects")
      .insert({ name: "shown", client_id: 1, mood: "wild" })
      .select("name, mood, owner_id, client:client_id(name), tasks(id)")
      .single();
    expect(status).toBe(201);
    expect(data).toEqual({
      name: "shown",
      mood: "wild",
      owner_id: ALICE,
      client: { name: "Ada" },
      tasks: [],
    });
  });

  test("many rows: a missing key is null, or the default when asked for", async () => {
    const rows = [
      { id: 11, name: "x" },
      { id: 12, name: null },
    ];
    expect((await rest.service.from("labels").insert(rows).select("name").order("id")).data).toEqual([
      { name: "x" },
      { name: null },
    ]);
    const mixed = [{ name: "calm one", mood: "wild" }, { name: "default one" }];
    const strict = await rest.alice.from("projects").insert(mixed).select();
    expect([strict.status, strict.error?.code]).toEqual([400, "23502"]);
    const lax = await rest.alice
      .from("projects")
      .insert(mixed, { defaultToNull: false })
      .select("mood, tags, id");
    expect(lax.data).toMatchObject([
      { mood: "wild", tags: [] },
      { mood: "calm", tags: [] },
    ]);
    const one = await post("/clients?columns=id,name", '{"name":"by default"}', {
      prefer: "missing=default,return=representation",
    });
    expect(await one.json()).toEqual([{ id: expect.any(Number), name: "by default" }]);
  });

  test("an empty object is a row of defaults, an empty array no row", async () => {
    const row = await post("/odd%20%22table", "{}", { prefer: "return=representation" });
    expect((await row.json()).code).toBe("23502");
    const none = await post("/clients", "[]", { prefer: "return=representation" });
    expect([none.status, await none.json()]).toEqual([201, []]);
  });

  test("columns= says which keys count", async () => {
    const response = await post("/clients?columns=name", '{"name":"picked","id":1,"junk":2}', {
      prefer: "return=representation",
    });
    expect(await response.json()).toEqual([{ id: expect.any(Number), name: "picked" }]);
  });

  test("values keep their exact JSON", async () => {
    const body =
      '{"name":"exact","score":12345678901234567890.123456789,"data":"bare","raw":{"n":9007199254740993.10,"a":[null]},"tags":["a,b","\\"q\\"",null]}';
    const response = await post("/projects?select=score,data,raw,tags", body, {
      prefer: "return=representation",
    });
    expect(await response.text()).toBe(
      '[{"score":12345678901234567890.123456789,"data":"bare","raw":{"n":9007199254740993.10,"a":[null]},"tags":["a,b","\\"q\\"",null]}]',
    );
    const { data } = await rest.alice
      .from("projects")
      .insert({ name: "nested", data: { list: [1, null, { deep: null }], none: null } })
      .select("data")
      .single();
    expect(data).toEqual({ data: { list: [1, null, { deep: null }], none: null } });
  });

  test("bodies that make no sense are told", async () => {
    const bad = await post("/clients", '{"name":');
    expect([bad.status, await bad.json()]).toEqual([
      400,
      { code: "PGRST102", details: null, hint: null, message: "Empty or invalid json" },
    ]);
    expect((await (await post("/clients", '[{"name":"a"},{"id":1}]')).json()).message).toBe(
      "All object keys must match",
    );
    expect((await post("/clients", "name\na", { "content-type": "text/csv" })).status).toBe(501);
    expect((await (await post("/clients", "x", { "content-type": "image/png" })).json()).code).toBe(
      "PGRST102",
    );
    expect((await rest.alice.from("clients").insert({ nope: 1 })).error).toMatchObject({
      code: "PGRST204",
      message: "Could not find the 'nope' column of 'clients' in the schema cache",
    });
  });
});

describe("upsert", () => {
  test("merges by the primary key: 200 when nothing was new, 201 when something was", async () => {
    const created = await rest.service.from("labels").upsert({ id: 21, name: "one" }).select();
    expect([created.status, created.data]).toEqual([201, [{ id: 21, name: "one" }]]);
    const merged = await rest.service.from("labels").upsert({ id: 21, name: "two" }).select();
    expect([merged.status, merged.data]).toEqual([200, [{ id: 21, name: "two" }]]);
    const both = await rest.service.from("labels").upsert([
      { id: 21, name: "three" },
      { id: 22, name: "four" },
    ]);
    expect(both.status).toBe(201);
  });

  test("on another key, and ignoring what is there", async () => {
    await rest.service.from("clients").insert({ id: 31, name: "Cleo" });
    const merged = await rest.service
      .from("clients")
      .upsert({ id: 32, name: "Cleo" }, { onConflict: "name" })
      .select("id");
    expect(merged.data).toEqual([{ id: 32 }]);
    const ignored = await rest.service
      .from("clients")
      .upsert([{ name: "Cleo" }, { name: "Dora" }], { onConflict: "name", ignoreDuplicates: true })
      .select("name");
    expect([ignored.status, ignored.data]).toEqual([201, [{ name: "Dora" }]]);
  });

  test("a target without a unique key is the database's error", async () => {
    const upsert = (onConflict: string) => rest.service.from("labels").upsert({ id: 1 }, { onConflict });
    expect((await upsert("name")).error?.code).toBe("42P10");
    expect((await upsert("nope")).error?.code).toBe("42703");
  });
});

describe("update and delete", () => {
  test("update changes what the filters find", async () => {
    await rest.service.from("labels").insert([
      { id: 41, name: "a" },
      { id: 42, name: "b" },
      { id: 43, name: "c" },
    ]);
    const { data, count } = await rest.service
      .from("labels")
      .update({ name: "z" }, { count: "exact" })
      .or("name.eq.a,id.eq.42")
      .in("id", [41, 42, 43])
      .select("id, was:name")
      .order("id", { ascending: false });
    expect([data, count]).toEqual([
      [
        { id: 42, was: "z" },
        { id: 41, was: "z" },
      ],
      2,
    ]);
    const quiet = await rest.service.from("labels").update({ name: null }).eq("id", 43);
    expect([quiet.status, quiet.data]).toEqual([204, null]);
    const nothing = await rest.service.from("labels").update({}).eq("id", 43).select();
    expect([nothing.status, nothing.data]).toEqual([200, []]);
  });

  test("delete removes what the filters find", async () => {
    await rest.service.from("labels").insert([{ id: 51 }, { id: 52 }]);
    const { data, count } = await rest.service
      .from("labels")
      .delete({ count: "exact" })
      .gte("id", 51)
      .select("id");
    expect([data, count]).toEqual([[{ id: 51 }, { id: 52 }], 2]);
  });

  test("neither goes over a whole table", async () => {
    for (const call of [
      rest.service.from("labels").delete(),
      rest.service.from("labels").update({ name: "x" }),
    ]) {
      const { status, error } = await call;
      expect([status, error?.code]).toEqual([400, "21000"]);
      expect(error?.message).toMatch(/^(DELETE|UPDATE) requires a WHERE clause$/);
    }
    expect((await rest.raw("/labels?id=gt.0&limit=1", { method: "DELETE" })).status).toBe(501);
  });

  test("single and max-affected undo what went too far", async () => {
    await rest.service.from("labels").insert([{ id: 61 }, { id: 62 }]);
    const single = await rest.service.from("labels").update({ name: "s" }).gte("id", 61).select().single();
    expect([single.status, single.error?.code]).toEqual([406, "PGRST116"]);
    const many = await rest.service.from("labels").delete().gte("id", 61).maxAffected(1);
    expect([many.status, many.error?.code, many.error?.details]).toEqual([
      400,
      "PGRST124",
      "The query affects 2 rows",
    ]);
    const { data } = await rest.service.from("labels").select().gte("id", 61).order("id");
    expect(data).toEqual([
      { id: 61, name: null },
      { id: 62, name: null },
    ]);
  });

  test("unknown preferences are refused under handling=strict only", async () => {
    const strict = await rest.raw("/labels", { headers: { prefer: "handling=strict, colour=blue" } });
    expect([strict.status, await strict.json()]).toMatchObject([
      400,
      { code: "PGRST122", details: "Invalid preferences: colour=blue" },
    ]);
    expect((await rest.raw("/labels", { headers: { prefer: "colour=blue" } })).status).toBe(200);
  });

  test("other methods are 405, PUT and OPTIONS 501", async () => {
    expect((await rest.raw("/labels", { method: "PROPFIND" })).status).toBe(405);
    expect((await rest.raw("/rpc/add", { method: "DELETE" })).status).toBe(405);
    expect((await rest.raw("/labels", { method: "PUT", body: "{}" })).status).toBe(501);
    expect((await rest.raw("/labels", { method: "OPTIONS" })).status).toBe(501);
  });
});
