import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALICE, BOB, startRest, type TestRest } from "./rest-fixture.ts";

let rest: TestRest;
beforeAll(async () => {
  rest = await startRest();
  await rest.alice.from("projects").insert({ name: "of alice" });
  await rest.bob.from("projects").insert({ name: "of bob" });
});
afterAll(() => rest?.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  rest.raw(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

describe("who may what", () => {
  test("two users see and change their own only", async () => {
    expect((await rest.alice.from("projects").select("name")).data).toEqual([{ name: "of alice" }]);
    expect((await rest.bob.from("projects").select("name", { count: "exact" })).count).toBe(1);
    expect(
      (await rest.bob.from("projects").update({ name: "x" }).eq("name", "of alice").select()).data,
    ).toEqual([]);
    expect((await rest.bob.from("projects").delete().eq("owner_id", ALICE).select()).data).toEqual([]);
    const forged = await rest.bob.from("projects").insert({ name: "gift", owner_id: ALICE });
    expect([forged.status, forged.error?.code, forged.error?.message]).toEqual([
      403,
      "42501",
      'new row violates row-level security policy for table "projects"',
    ]);
    expect((await rest.service.from("projects").select("name").order("name")).data).toHaveLength(2);
  });

  test("anon sees no row where none is for it, and gets 401 where nothing is granted", async () => {
    expect((await rest.anon.from("projects").select()).data).toEqual([]);
    const { status, error } = await rest.anon.from("clients").select();
    expect([status, error]).toMatchObject([
      401,
      { code: "42501", message: "permission denied for table clients", details: null },
    ]);
  });

  test("revoked tables and columns stay closed, in embeddings and filters too", async () => {
    const { status, error } = await rest.alice.from("secrets").select();
    expect([status, error?.code]).toEqual([403, "42501"]);
    expect((await rest.alice.from("partial").select("id, shown")).error).toBeNull();
    expect((await rest.alice.from("partial").select("*")).error?.code).toBe("42501");
    expect((await rest.alice.from("partial").select("id").eq("concealed", "no")).error?.code).toBe("42501");
    expect((await rest.alice.from("partial").select("id").order("concealed")).error?.code).toBe("42501");
    expect((await rest.alice.from("partial").insert({ id: 1, shown: "s" }).select("id, shown")).data).toEqual(
      [{ id: 1, shown: "s" }],
    );
    expect((await rest.alice.from("partial").insert({ id: 2, concealed: "s" })).error?.code).toBe("42501");
    expect((await rest.alice.rpc("escape")).error?.message).toBe("permission denied for table secrets");
  });

  test("only the API's roles can be taken, whatever a token says", async () => {
    for (const role of ["postgres", "supabase_admin", "pg_read_all_data"]) {
      const token = await rest.keys.sign({ sub: BOB, role }, 60);
      const response = await rest.raw("/clients", { headers: { authorization: `Bearer ${token}` } });
      expect([response.status, (await response.json()).code]).toEqual([403, "42501"]);
    }
    const token = await rest.keys.sign({ sub: BOB, role: "nobody_at_all" }, 60);
    const response = await rest.raw("/clients", { headers: { authorization: `Bearer ${token}` } });
    expect([response.status, (await response.json()).message]).toEqual([
      401,
      'role "nobody_at_all" does not exist',
    ]);
  });

  test("bad credentials are 401 in the same shape", async () => {
    const cases = [{ apikey: "nope" }, { authorization: "Bearer a.b.c" }] as Record<string, string>[];
    for (const headers of cases) {
      const response = await rest.raw("/clients", { headers });
      expect([response.status, await response.json()]).toEqual([
        401,
        { code: "PGRST301", details: null, hint: null, message: expect.any(String) },
      ]);
    }
    expect((await fetch(`${rest.url}/rest/v1/clients`)).status).toBe(401);
  });
});

describe("injection", () => {
  const evil = [
    `"; reset role; select * from secrets; --`,
    `x"; drop table public.labels; --`,
    `'; select set_config('role', 'postgres', false); --`,
    "a) union select * from secrets --",
    "$1; commit; reset role",
    "\\'; drop table labels",
  ];
  /** In the request's own double quotes, so that it parses as a name. */
  const name = (text: string) => encodeURIComponent(`"${text.replace(/["\\]/g, "\\$&")}"`);

  const everywhere = (text: string): Promise<Response>[] => {
    const value = encodeURIComponent(text);
    return [
      rest.raw(`/${value}`),
      rest.raw(`/rpc/${value}`),
      rest.raw(`/projects?select=${name(text)}`),
      rest.raw(`/projects?select=${name(text)}:name`),
      rest.raw(`/projects?select=name::${value}`),
      rest.raw(`/projects?select=data->${name(text)}`),
      rest.raw(`/projects?select=data->>${value}`),
      rest.raw(`/projects?select=${name(text)}(*)`),
      rest.raw(`/projects?select=tasks!${name(text)}(*)`),
      rest.raw(`/projects?${name(text)}=eq.1`),
      rest.raw(`/projects?name=eq.${value}`),
      rest.raw(`/projects?name=in.(${name(text)})`),
      rest.raw(`/projects?name=fts(${value}).x`),
      rest.raw(`/projects?or=(name.eq.${name(text)})`),
      rest.raw(`/projects?order=${name(text)}`),
      rest.raw(`/projects?order=name.${value}`),
      rest.raw(`/projects?limit=${value}`),
      rest.raw(`/projects?offset=${value}`),
      rest.raw(`/projects?name=is.${value}`),
      rest.raw("/projects", { headers: { range: "0-1", "accept-profile": text } }),
      rest.raw("/projects", { headers: { prefer: `timezone=${text}` } }),
      rest.raw("/projects", { headers: { "x-evil": text, cookie: `a=${text}` } }),
      post(`/labels?on_conflict=${name(text)}`, { id: 1 }, { prefer: "resolution=merge-duplicates" }),
      post(`/labels?columns=${name(text)}`, { [text]: 1 }),
      post("/labels", { [text]: 1 }),
      post("/labels", { id: 900, name: text }),
      post("/rpc/echo", { value: text }),
      post("/rpc/echo", { [text]: 1 }),
      rest.raw(`/rpc/echo?value=${value}`),
    ];
  };

  test.each(evil)("%s is a name or a value, never SQL", async (text) => {
    const answers = await Promise.all(everywhere(text));
    for (const answer of answers) {
      const body = await answer.text();
      // Refused by a parser or the catalogue, or harmless; never a syntax error, never somebody else's data.
      expect(body).not.toMatch(/"code":"(42601|XX000|PGRSTX00)"/);
      expect(body).not.toContain("hush");
      expect(body).not.toContain("of bob");
    }
    expect((await rest.alice.from("labels").select("id").eq("id", 1)).data).toEqual([{ id: 1 }]);
    expect((await rest.service.from("labels").delete().eq("id", 900).select("name")).data).toEqual([
      { name: text },
    ]);
    expect((await rest.alice.rpc("whoami")).data.role).toBe("authenticated");
    expect(rest.logged).toEqual([]);
  });

  test("null characters are refused", async () => {
    expect((await rest.raw("/projects?name=eq.a%00b")).status).toBe(400);
    expect((await rest.raw("/projects?select=%22a%00b%22")).status).toBe(400);
    expect((await rest.raw("/pro%00jects")).status).toBe(404);
    expect((await (await post("/labels", { id: 901, name: "a\0b" })).json()).code).toBe("22P05");
    expect((await (await post("/labels", { "a\0b": 1 })).json()).code).toBe("PGRST204");
  });
});

describe("errors", () => {
  test.each([
    ["P0001", 400],
    ["PT402", 402],
    ["PT999", 500],
    ["23514", 400],
    ["40001", 500],
    ["53300", 503],
    ["42501", 403],
  ])("raise %s is %d, with the database's words", async (state, status) => {
    const response = await post("/rpc/fail", { state, message: "said so" });
    expect([response.status, await response.json()]).toEqual([
      status,
      { code: state, details: "the detail", hint: "the hint", message: "said so" },
    ]);
  });

  test("constraints: 409 for keys, 400 for checks and nulls", async () => {
    const taken = await rest.alice.from("clients").insert({ name: "Ada" });
    expect([taken.status, taken.error]).toMatchObject([
      409,
      { code: "23505", details: "Key (name)=(Ada) already exists.", hint: null },
    ]);
    const dangling = await rest.alice.from("projects").insert({ name: "x", client_id: 999 });
    expect([dangling.status, dangling.error?.code]).toEqual([409, "23503"]);
    const check = await rest.alice.from("projects").insert({ name: "" });
    expect([check.status, check.error?.code]).toEqual([400, "23514"]);
  });

  test("values of the wrong type are 400", async () => {
    expect((await rest.alice.from("projects").select().eq("mood", "bogus")).error).toEqual({
      code: "22P02",
      details: null,
      hint: null,
      message: 'invalid input value for enum mood: "bogus"',
    });
    expect((await rest.alice.from("projects").select().eq("id", "7")).error?.code).toBe("22P02");
    const column = await rest.alice.from("projects").select("nope");
    expect([column.status, column.error?.message]).toEqual([400, "column projects.nope does not exist"]);
  });

  test.each([
    "name=5",
    "name=eq",
    "name=like(some).x",
    "name=is.maybe",
    "name=in.1,2",
    "or=name.eq.1",
    "or=(name.eq.1",
    "or=()",
    "order=name.up",
    "order=name.desc.nullsmiddle",
    "select=name,",
    "select=tasks(id",
    "select=name)",
    "select=name::",
    "a(b)=eq.1",
    "apikey=x",
  ])("?%s doesn't parse", async (query) => {
    const response = await rest.raw(`/projects?${query}`);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        code: "PGRST100",
        details: expect.stringContaining("expecting"),
        hint: null,
        message: expect.stringMatching(/^"failed to parse .+" \(line 1, column \d+\)$/),
      },
    ]);
  });

  test("the database may decide the whole answer", async () => {
    const response = await post("/rpc/refuse", {});
    expect([response.status, response.headers.get("x-pot"), await response.json()]).toEqual([
      418,
      "tea",
      { code: "teapot", details: "d", hint: "h", message: "short and stout" },
    ]);
  });

  test("paths that lead nowhere", async () => {
    expect((await (await rest.raw("/a/b")).json()).code).toBe("PGRST125");
    expect((await (await rest.raw("/%ff")).json()).code).toBe("PGRST125");
    expect((await (await rest.raw("/projectss")).json()).hint).toBe(
      "Perhaps you meant the table 'public.projects'",
    );
  });
});
