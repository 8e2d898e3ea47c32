import { beforeAll, describe, expect, it } from "vitest";
import { joined, listen, realtimeOfFile, received } from "./realtime-stack.ts";

const { stack } = await realtimeOfFile();

beforeAll(() =>
  stack.sql.unsafe(`
    create table notes (id int primary key, secret text);
    grant select (id) on notes to authenticated;
    create table news (id int primary key, title text, category text, views int);
    grant select on news to anon;
    alter publication supabase_realtime add table notes, news;
  `),
);

const notes = { schema: "public", table: "notes" };
const news = { schema: "public", table: "news" };

describe("subscriptions to changes", () => {
  it("pass through filters, all conditions of one together", async () => {
    const filters = [
      "category=eq.science",
      "category=neq.science",
      "views=gt.5,views=lte.10",
      'title=in.(one,"two, three")',
      "title=like.o%",
      "title=ilike.O%",
      "title=not.like.o%",
      "category=is.null",
      "title=match.^t.o",
      "views=isdistinct.7",
    ];
    const changes = filters.map((filter) => ({ event: "INSERT", ...news, filter }) as const);
    const client = await stack.client();
    const listeners = changes.map((change) => listen(client, `f ${change.filter}`, { changes: [change] }));
    await Promise.all(listeners.map(joined));
    const everything = await joined(listen(client, "all", { changes: [{ event: "*", ...news }] }));
    await stack.sql.begin(async (sql) => {
      await sql`insert into news values (20, 'one', 'science', 7)`;
      await sql`insert into news values (21, 'two, three', 'arts', 10)`;
      await sql`insert into news values (22, 'four', null, 11)`;
      await sql`insert into news values (23, 'end', 'science', null)`;
    });
    await received(everything, 4);
    const ids = listeners.map((listener) => listener.received.map((change) => change.new.id));
    expect(Object.fromEntries(filters.map((filter, index) => [filter, ids[index]]))).toEqual({
      "category=eq.science": [20, 23],
      "category=neq.science": [21],
      "views=gt.5,views=lte.10": [20, 21],
      'title=in.(one,"two, three")': [20, 21],
      "title=like.o%": [20],
      "title=ilike.O%": [20],
      "title=not.like.o%": [21, 22, 23],
      "category=is.null": [22],
      "title=match.^t.o": [21],
      "views=isdistinct.7": [21, 22, 23],
    });
  });

  it("reach every matching binding of a channel once, with the columns it selected", async () => {
    const channel = await joined(
      listen(await stack.client(), "bindings", {
        changes: [
          { event: "INSERT", ...news, filter: "id=eq.30" },
          { event: "*", ...news, select: ["title"] },
          { event: "UPDATE", ...news },
          { event: "*", schema: "public" },
        ],
      }),
    );
    await stack.sql`insert into news values (30, 'selected', null, 1)`;
    const changes = await received(channel, 3);
    expect(changes.map((change) => change.new)).toContainEqual({ id: 30, title: "selected" });
    expect(changes.filter((change) => "views" in change.new)).toHaveLength(2);
  });

  it("say what a subscription lacks", async () => {
    const unknown = listen(await stack.client(), "e1", {
      changes: [{ event: "*", ...news, filter: "id=between.1" }],
    });
    const unpublished = listen(await stack.client(), "e2", {
      changes: [{ event: "*", schema: "auth", table: "users" }],
    });
    const hidden = listen(await stack.client({ user: crypto.randomUUID() }), "e3", {
      changes: [{ event: "*", ...notes, filter: "secret=eq.x" }],
    });
    const mistyped = listen(await stack.client(), "e4", {
      changes: [{ event: "*", ...news, filter: "id=eq.one" }],
    });
    await expect
      .poll(() => unknown.statuses[0])
      .toMatch(/^CHANNEL_ERROR: .*Error parsing `filter` params: \["between","1"\]/);
    await expect
      .poll(() => unpublished.system[0])
      .toMatchObject({ extension: "postgres_changes", status: "error" });
    await expect.poll(() => hidden.system.at(-1)?.message).toMatch(/invalid column for filter secret/);
    await expect.poll(() => mistyped.system[0]?.message).toMatch(/invalid input syntax for type integer/);
    expect(unpublished.statuses).toEqual(["SUBSCRIBED"]);
  });
});
