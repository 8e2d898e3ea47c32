import { describe, expect, test } from "vitest";
import { startRest } from "./rest-fixture.ts";
import { projectsOfFile } from "./rest-projects.ts";

const { rest, names, json } = await projectsOfFile();

describe("select", () => {
  test("columns, aliases, casts and JSON paths", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("title:name, score::text, first:data->crew->0->>n, data->n, client_id::float8")
      .eq("name", "apollo")
      .single();
    expect(data).toEqual({ title: "apollo", score: "11.5", first: "neil", n: 3, client_id: 1 });
  });

  test("a path into a column that isn't JSON goes through to_jsonb", async () => {
    const { data } = await rest.alice.from("projects").select("tags->0").eq("name", "apollo").single();
    expect(data).toEqual({ tags: "moon" });
  });

  test("a function of the row is a column to ask for", async () => {
    const { data } = await rest.alice.from("projects").select("shout").eq("shout", "APOLLO");
    expect(data).toEqual([{ shout: "APOLLO" }]);
  });

  test("names that need quoting", async () => {
    const { data } = await rest.alice
      .from('odd "table')
      .select('"a.b,c(d)", x:select, Über')
      .eq('"a.b,c(d)"', "dotted");
    expect(data).toEqual([{ "a.b,c(d)": "dotted", x: "reserved", Über: "umlaut" }]);
  });

  test("an alias may hold anything", async () => {
    const { body } = await json(`/labels?select=${encodeURIComponent('"a\\"; drop table x --":id')}&id=eq.1`);
    expect(body).toEqual([{ 'a"; drop table x --': 1 }]);
  });

  test("types that don't exist are refused, aggregates too", async () => {
    expect((await json("/labels?select=id::nope")).body).toMatchObject({
      code: "42704",
      message: 'type "nope" does not exist',
    });
    expect((await json("/labels?select=id::constructor")).body.code).toBe("42704");
    expect((await json("/labels?select=a:id::char,b:id::double precision&id=eq.1")).body).toEqual([
      { a: "1", b: 1 },
    ]);
    const { status, body } = await json("/labels?select=id.sum()");
    expect([status, body.code]).toEqual([400, "PGRST123"]);
  });
});

describe("embedding", () => {
  test("many rows, nested, with their own filter, order and limit", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("name, todo:tasks(title, children:tasks(title))")
      .order("name")
      .is("todo.parent_id", null)
      .order("title", { referencedTable: "todo.children", ascending: false })
      .limit(1, { referencedTable: "todo.children" })
      .order("id", { referencedTable: "todo" });
    expect(data).toEqual([
      { name: "apollo", todo: [{ title: "build", children: [{ title: "weld" }] }] },
      { name: "gemini", todo: [{ title: "dock", children: [] }] },
      { name: "mercury", todo: [] },
    ]);
  });

  test.each([
    "client:clients!projects_client_id_fkey(name)",
    "client:clients!client_id(name)",
    "client:client_id(name)",
    "client:projects_client_id_fkey(name)",
  ])("one row by %s", async (embed) => {
    const { data } = await rest.alice.from("projects").select(`name, ${embed}`).order("name");
    expect(data).toEqual([
      { name: "apollo", client: { name: "Ada" } },
      { name: "gemini", client: { name: "Bob" } },
      { name: "mercury", client: null },
    ]);
  });

  test("an ambiguous one is told with its choices", async () => {
    const { status, body } = await json("/projects?select=clients(*)");
    expect(status).toBe(300);
    expect(body).toMatchObject({
      code: "PGRST201",
      details: [
        { cardinality: "many-to-one", relationship: expect.stringContaining("projects_backup_id_fkey") },
        { cardinality: "many-to-one", relationship: expect.stringContaining("projects_client_id_fkey") },
      ],
    });
  });

  test("one to one is an object, from both sides", async () => {
    const { data } = await rest.alice.from("projects").select("details(note)").order("name").limit(2);
    expect(data).toEqual([{ details: { note: "eleven" } }, { details: null }]);
    const back = await rest.alice.from("details").select("projects(name)").single();
    expect(back.data).toEqual({ projects: { name: "apollo" } });
  });

  test("many to many through the table between", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("name, labels(name)")
      .order("name")
      .order("name", { referencedTable: "labels" });
    expect(data).toEqual([
      { name: "apollo", labels: [{ name: "cold" }, { name: "hot" }] },
      { name: "gemini", labels: [{ name: "hot" }] },
      { name: "mercury", labels: [] },
    ]);
  });

  test("parents and children of one table", async () => {
    const { data } = await rest.alice
      .from("tasks")
      .select("title, parent:parent_id(title)")
      .eq("id", 2)
      .single();
    expect(data).toEqual({ title: "weld", parent: { title: "build" } });
  });

  test("!inner drops what has nothing embedded, in the count too", async () => {
    const { data, count } = await rest.alice
      .from("projects")
      .select("name, tasks!inner(title)", { count: "exact" })
      .eq("tasks.title", "dock");
    expect(data).toEqual([{ name: "gemini", tasks: [{ title: "dock" }] }]);
    expect(count).toBe(1);
  });

  test("an embedding can be asked for being there, and needn't show", async () => {
    const without = await rest.alice.from("projects").select("name, tasks()").is("tasks", null);
    expect(without.data).toEqual([{ name: "mercury" }]);
    const withSome = await rest.alice
      .from("projects")
      .select("name, tasks(), client:client_id()")
      .or("tasks.not.is.null,client.not.is.null")
      .order("name");
    expect(names(withSome.data)).toEqual(["apollo", "gemini"]);
  });

  test("what can't be embedded is an error", async () => {
    const none = await json("/projects?select=labelz(*)");
    expect([none.status, none.body.code]).toEqual([400, "PGRST200"]);
    const filter = await json("/projects?select=name&tasks.id=eq.1");
    expect([filter.status, filter.body.code]).toEqual([400, "PGRST108"]);
  });
});

describe("exactness", () => {
  test("JSON comes as it was stored: great numbers, nulls inside, bare strings", async () => {
    await rest.sql`update public.projects set raw = '{"n":9007199254740993.10,"deep":[null,{"x":null}]}', data = '"bare"',
      score = 12345678901234567890.123456789 where name = 'mercury'`;
    const response = await rest.raw("/projects?select=raw,data,score&name=eq.mercury");
    expect(await response.text()).toBe(
      '[{"raw":{"n":9007199254740993.10,"deep":[null,{"x":null}]},"data":"bare","score":12345678901234567890.123456789}]',
    );
    await rest.sql`update public.projects set raw = null, data = null, score = 6 where name = 'mercury'`;
  });

  test("timestamps are ISO 8601", async () => {
    await rest.sql`update public.projects set created_at = '2026-01-02 03:04:05.678901+00' where name = 'gemini'`;
    const { data } = await rest.alice.from("projects").select("created_at").eq("name", "gemini").single();
    expect(data).toEqual({ created_at: "2026-01-02T03:04:05.678901+00:00" });
    const later = await rest.alice
      .from("projects")
      .select("name")
      .gt("created_at", "2026-01-02T03:04:05.678900Z")
      .lt("created_at", "2026-01-02T03:04:05.678902Z");
    expect(names(later.data)).toEqual(["gemini"]);
  });

  test("nulls can be stripped", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("name, score")
      .eq("name", "gemini")
      .stripNulls();
    expect(data).toEqual([{ name: "gemini" }]);
  });
});

describe("schemas, views and what isn't served", () => {
  test("the schema is the client's to choose, among the exposed", async () => {
    const { data } = await rest.alice.schema("podbase").from("things").select("id").order("id");
    expect(data).toEqual([{ id: 1 }, { id: 2 }]);
    const hidden = await rest.alice.schema("hidden").from("things").select("id");
    expect([hidden.status, hidden.error?.code, hidden.error?.hint]).toEqual([
      406,
      "PGRST106",
      "Only the following schemas are exposed: public, podbase",
    ]);
    expect((await rest.alice.from("things").select()).error?.code).toBe("PGRST205");
  });

  test("views are read as tables are", async () => {
    const { data } = await rest.alice.from("project_names").select("name").order("name");
    expect(names(data)).toEqual(["apollo", "gemini", "mercury"]);
  });

  test.each([
    ["/projects", { accept: "text/csv" }],
    ["/projects", { accept: "application/vnd.pgrst.plan+json" }],
    ["/projects", { accept: "application/geo+json" }],
    ["/projects", { prefer: "count=planned" }],
    ["/projects?select=...tasks(title)", {}],
    ["/projects?select=related(*)", {}],
    ["/project_names?select=tasks(*)", {}],
    ["/wardrobe", {}],
    ["/rpc/page", {}],
    ["/", {}],
  ])("%s %o answers 501", async (path, headers) => {
    const { status, body } = await json(path, headers as Record<string, string>);
    expect(status).toBe(501);
    expect(body).toMatchObject({ code: "not_implemented", message: expect.stringContaining("not served") });
  });

  test("a media type that nobody makes is 406", async () => {
    const { status, body } = await json("/projects", { accept: "image/png" });
    expect([status, body.code]).toEqual([406, "PGRST107"]);
  });

  test("no read returns more than the configured rows, embedded ones neither", async () => {
    const capped = await startRest({ maxRows: 2 });
    const { data } = await capped.alice
      .from("clients")
      .insert([{ name: "c" }, { name: "d" }])
      .select();
    expect(data).toHaveLength(2);
    expect((await capped.alice.from("clients").select().limit(9)).data).toHaveLength(2);
    await capped.stop();
  });
});
