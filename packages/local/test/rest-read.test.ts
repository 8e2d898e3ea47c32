import { describe, expect, test } from "vitest";
import { projectsOfFile } from "./rest-projects.ts";

const { rest, names, json } = await projectsOfFile();

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
