import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRest, type TestRest } from "./rest-fixture.ts";

let rest: TestRest;
const ids = { apollo: "", gemini: "", mercury: "" };

beforeAll(async () => {
  rest = await startRest();
  const { data } = await rest.alice
    .from("projects")
    .insert([
      {
        name: "apollo",
        client_id: 1,
        score: 11.5,
        tags: ["moon", "nasa"],
        data: { crew: [{ n: "neil" }], n: 3 },
      },
      { name: "gemini", client_id: 2, score: null, tags: ["nasa"], data: { crew: [], n: 2 } },
      { name: "mercury", client_id: null, score: 6, tags: [], data: null },
    ])
    .select("id, name");
  for (const { id, name } of data as { id: string; name: keyof typeof ids }[]) ids[name] = id;
  await rest.sql`
    insert into public.tasks (id, project_id, parent_id, title, rank, done) overriding system value values
    (1, ${ids.apollo}, null, 'build', 1, true), (2, ${ids.apollo}, 1, 'weld', null, null),
    (3, ${ids.apollo}, 1, 'paint', 3, false), (4, ${ids.gemini}, null, 'dock', 2, true)`;
  await rest.sql`insert into public.details values (${ids.apollo}, 'eleven')`;
  await rest.sql`insert into public.project_labels values (${ids.apollo}, 1), (${ids.apollo}, 2), (${ids.gemini}, 1)`;
  await rest.sql`update public.projects set span = '[1,5)', words = to_tsvector('fly to the moon') where name = 'apollo'`;
});
afterAll(() => rest?.stop());

const names = (data: unknown): string[] => (data as { name: string }[]).map(({ name }) => name);
const json = async (path: string, headers: Record<string, string> = {}) => {
  const response = await rest.raw(path, { headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
};

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

describe("filters", () => {
  test.each([
    ["name=eq.apollo", "apollo"],
    ["name=neq.apollo", "gemini mercury"],
    ["score=gt.6", "apollo"],
    ["score=gte.6", "apollo mercury"],
    ["score=lt.11.5", "mercury"],
    ["score=lte.11.5", "apollo mercury"],
    ["name=like.*ll*", "apollo"],
    ["name=ilike.GEM*", "gemini"],
    ["name=like(any).{a*,g*}", "apollo gemini"],
    ["name=ilike(all).{*E*,*I*}", "gemini"],
    ["name=match.^a", "apollo"],
    ["name=imatch.Y$", "mercury"],
    ["name=in.(apollo,%22mercury%22)", "apollo mercury"],
    ["name=not.in.(apollo)", "gemini mercury"],
    ["name=in.()", ""],
    ["name=eq(any).{apollo,gemini}", "apollo gemini"],
    ["score=is.null", "gemini"],
    ["score=not.is.null", "apollo mercury"],
    ["score=is.not_null", "apollo mercury"],
    ["tags=cs.{nasa}", "apollo gemini"],
    ["tags=cd.{nasa,moon,sun}", "apollo gemini mercury"],
    ["tags=ov.{moon,sun}", "apollo"],
    ["data=cs.{%22n%22:2}", "gemini"],
    ["span=ov.[4,9]", "apollo"],
    ["span=sl.[5,9]", "apollo"],
    ["score=isdistinct.6", "apollo gemini"],
    ["data->>n=eq.3", "apollo"],
    ["data->crew->0->>n=eq.neil", "apollo"],
    ["words=fts(english).moon", "apollo"],
    ["name=plfts(english).gemini", "gemini"],
    ["mood=eq.calm&score=gt.1", "apollo mercury"],
    ["or=(name.eq.apollo,score.is.null)", "apollo gemini"],
    ["or=(name.eq.mercury,and(score.gt.1,tags.cs.{moon}))", "apollo mercury"],
    ["not.or=(name.eq.apollo,score.is.null)", "mercury"],
    ["and=(not.and(name.eq.apollo,score.gt.1),name.in.(apollo,gemini))", "gemini"],
    ["or=(name.eq.%22gem,ini%22,name.eq.%22mercury%22)", "mercury"],
  ])("%s", async (filter, expected) => {
    const { status, body } = await json(`/projects?select=name&order=name&${filter}`);
    expect([status, names(body).join(" ")]).toEqual([200, expected]);
  });

  test("is true, false and unknown", async () => {
    const { data } = await rest.alice.from("tasks").select("title").is("done", true).order("id");
    expect(data).toEqual([{ title: "build" }, { title: "dock" }]);
    expect((await json("/tasks?select=title&done=is.unknown")).body).toEqual([{ title: "weld" }]);
    expect((await json("/tasks?select=title&done=not.is.FALSE&order=id")).body).toHaveLength(3);
  });

  test("trees on embedded rows", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("name, tasks(title)")
      .eq("name", "apollo")
      .or("title.eq.weld,rank.eq.3", { referencedTable: "tasks" })
      .order("title", { referencedTable: "tasks" })
      .single();
    expect(data).toEqual({ name: "apollo", tasks: [{ title: "paint" }, { title: "weld" }] });
  });
});

describe("order and ranges", () => {
  const order = async (by: string) => names((await json(`/projects?select=name&order=${by}`)).body).join(" ");

  test("directions and nulls", async () => {
    expect(await order("score")).toBe("mercury apollo gemini");
    expect(await order("score.desc")).toBe("gemini apollo mercury");
    expect(await order("score.desc.nullslast")).toBe("apollo mercury gemini");
    expect(await order("score.nullsfirst,name")).toBe("gemini mercury apollo");
    expect(await order("data->n.desc.nullslast")).toBe("apollo gemini mercury");
  });

  test("by a column of the one embedded row, never of many", async () => {
    const { data } = await rest.alice
      .from("projects")
      .select("name, client:client_id(name)")
      .order("client(name)", { ascending: false, nullsFirst: false });
    expect(names(data)).toEqual(["gemini", "apollo", "mercury"]);
    expect((await json("/projects?select=tasks(*)&order=tasks(id)")).body.code).toBe("PGRST118");
  });

  test("range with an exact count: 206 and what there is", async () => {
    const { data, count, status } = await rest.alice
      .from("projects")
      .select("name", { count: "exact" })
      .order("name")
      .range(1, 1);
    expect([names(data), count, status]).toEqual([["gemini"], 3, 206]);
    const whole = await json("/projects?select=name", { prefer: "count=exact" });
    expect([whole.status, whole.headers.get("content-range")]).toEqual([200, "0-2/3"]);
  });

  test("the Range header narrows limit and offset", async () => {
    const { headers, body } = await json("/projects?select=name&order=name&limit=2", { range: "1-5" });
    expect([names(body), headers.get("content-range")]).toEqual([["gemini"], "1-1/*"]);
  });

  test("ranges behind the end and upside down are 416", async () => {
    const behind = await json("/projects?offset=9", { prefer: "count=exact" });
    expect([behind.status, behind.body.code, behind.body.details]).toEqual([
      416,
      "PGRST103",
      "An offset of 9 was requested, but there are only 3 rows.",
    ]);
    expect((await json("/projects", { range: "5-2" })).status).toBe(416);
    expect((await json("/projects?limit=-1")).status).toBe(416);
  });

  test("limit 0 is no rows, and they can still be counted", async () => {
    const { body, headers } = await json("/projects?limit=0", { prefer: "count=exact" });
    expect([body, headers.get("content-range")]).toEqual([[], "*/3"]);
  });

  test("a head counts without rows", async () => {
    const { data, count } = await rest.alice.from("projects").select("*", { count: "exact", head: true });
    expect([data, count]).toEqual([null, 3]);
  });

  test("single wants exactly one row, maybeSingle at most one", async () => {
    const none = await rest.alice.from("projects").select("name").eq("name", "zenith").single();
    expect([none.status, none.error?.code, none.error?.details]).toEqual([
      406,
      "PGRST116",
      "The result contains 0 rows",
    ]);
    const maybe = await rest.alice.from("projects").select("name").eq("name", "zenith").maybeSingle();
    expect([maybe.data, maybe.error]).toEqual([null, null]);
    const many = await rest.alice.from("projects").select("name").single();
    expect(many.error?.details).toBe("The result contains 3 rows");
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
