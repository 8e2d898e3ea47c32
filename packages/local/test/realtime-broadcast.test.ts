import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { joined, listen, realtimeOfFile, received, startRealtime } from "./realtime-stack.ts";

const ada = randomUUID();
const bob = randomUUID();
const { database, stack } = await realtimeOfFile();

/** As the owner of migrations, who may write policies for `realtime.messages` but creates nothing in the schema. */
const asPostgres = (statements: string) =>
  stack.sql.begin(async (sql) => {
    await sql.unsafe("set local role postgres");
    await sql.unsafe(statements);
  });

beforeAll(() =>
  asPostgres(`
    create policy receive_own on realtime.messages for select to authenticated
      using (realtime.topic() = 'user:' || (select auth.uid()) and extension = 'broadcast');
    create policy receive_rooms on realtime.messages for select to authenticated
      using (realtime.topic() like 'room:%' or realtime.topic() like 'hall:%');
    create policy send_rooms on realtime.messages for insert to authenticated
      with check (realtime.topic() like 'room:%');
    create policy broken on realtime.messages for select to authenticated
      using (case when realtime.topic() = 'broken' then 1 / (length(realtime.topic()) - 6) = 1 else false end);`),
);

const secret = { config: { private: true } };
const send = (topic: string, payload: object, isPrivate = true) =>
  stack.sql`select realtime.send(${stack.sql.json(payload as never)}, 'job', ${topic}, ${isPrivate})`;

describe.each(["1.0.0", "2.0.0"] as const)("broadcast from the database over protocol %s", (vsn) => {
  it("reaches the user whose topic it is, with the message's id", async () => {
    const hers = await joined(listen(await stack.client({ user: ada, vsn }), `user:${ada}`, secret));
    await send(`user:${bob}`, { for: "bob" });
    await send(`user:${ada}`, { for: "ada" }, false);
    await send(`user:${ada}`, { for: "ada", precise: [1.5, null, "ü"] });
    const [message] = await received(hers, 1);
    expect(message).toMatchObject({
      type: "broadcast",
      event: "job",
      payload: { for: "ada", precise: [1.5, null, "ü"] },
    });
    expect(message.meta.id).toBe(message.payload.id);
  });

  it("is refused to others", async () => {
    const his = listen(await stack.client({ user: bob, vsn }), `user:${ada}`, secret);
    const nobody = listen(await stack.client({ vsn }), `user:${ada}`, secret);
    const message = `Unauthorized: You do not have permissions to read from this Channel topic: user:${ada}`;
    for (const listener of [his, nobody])
      await expect.poll(() => listener.statuses.at(-1)).toBe(`CHANNEL_ERROR: ${message}`);
  });

  it("keeps the order of a thousand messages", async () => {
    const hers = await joined(listen(await stack.client({ user: ada, vsn }), `user:${ada}`, secret));
    for (let batch = 0; batch < 10; batch++)
      await stack.sql`
        select realtime.send(jsonb_build_object('n', n), 'job', ${`user:${ada}`})
        from generate_series(${batch * 100}::int, ${batch * 100 + 99}::int) as n order by n`;
    const messages = await received(hers, 1000);
    expect(messages.map(({ payload }) => payload.n)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
});

describe("broadcast", () => {
  it("from the database reaches public channels too, if it is public", async () => {
    const open = await joined(listen(await stack.client(), "weather"));
    await send("weather", { private: true });
    await send("weather", { id: "mine", private: false }, false);
    expect((await received(open, 1))[0].payload).toEqual({ id: "mine", private: false });
  });

  it("of rows written directly and of bytes is delivered", async () => {
    const hers = await joined(listen(await stack.client({ user: ada }), `user:${ada}`, secret));
    await asPostgres(`
      insert into realtime.messages (topic, extension, event, private, payload)
        values ('user:${ada}', 'broadcast', 'direct', true, '{"a": 1}');
      select realtime.send_binary('\\x00ff10', 'bytes', 'user:${ada}');`);
    const [direct, bytes] = await received(hers, 2);
    expect(direct).toMatchObject({ event: "direct", payload: { a: 1 } });
    expect(bytes.event).toBe("bytes");
    expect([...new Uint8Array(bytes.payload)]).toEqual([0, 255, 16]);
  });

  it("of a trigger carries the row", async () => {
    const hers = await joined(listen(await stack.client({ user: ada }), `user:${ada}`, secret));
    await stack.sql.unsafe(`
      create table parcels (id int primary key, owner uuid);
      create function tell_parcel() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        perform realtime.broadcast_changes('user:' || new.owner, tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
        return null;
      end $$;
      create trigger tell after insert on parcels for each row execute function tell_parcel();
      insert into parcels values (1, '${ada}');`);
    expect((await received(hers, 1))[0]).toMatchObject({
      event: "INSERT",
      payload: {
        operation: "INSERT",
        table: "parcels",
        schema: "public",
        record: { id: 1, owner: ada },
        old_record: null,
      },
    });
  });

  it("never undoes the work that sends it", async () => {
    await asPostgres("create table done (id int); insert into done values (1);");
    await stack.sql.begin(async (sql) => {
      await sql`insert into done values (2)`;
      await sql`set local role anon`;
      await sql`select realtime.send('{}', 'e', 'nobody may', true)`;
    });
    expect(await stack.sql`select from done`).toHaveLength(2);
    expect(await stack.sql`select from realtime.messages where topic = 'nobody may'`).toHaveLength(0);
  });

  it("of clients reaches the other clients of a topic, and itself if asked to", async () => {
    const options = { config: { private: true, broadcast: { ack: true, self: true } } };
    const hers = await joined(listen(await stack.client({ user: ada }), "room:1", options));
    const his = await joined(listen(await stack.client({ user: bob, vsn: "1.0.0" }), "room:1", secret));
    const open = await joined(listen(await stack.client(), "room:1"));
    const message = { type: "broadcast", event: "wave", payload: { to: "everyone" } } as const;
    expect(await hers.channel.send(message)).toBe("ok");
    expect((await received(his, 1))[0]).toEqual(message);
    expect((await received(hers, 1))[0]).toEqual(message);
    await his.channel.send({ ...message, event: "back" });
    await received(hers, 2);
    expect([his.received.length, open.received.length]).toEqual([1, 0]);
  });

  it("of clients may be bytes", async () => {
    const [one, other] = [listen(await stack.client(), "bytes"), listen(await stack.client(), "bytes")];
    await Promise.all([joined(one), joined(other)]);
    await one.channel.send({ type: "broadcast", event: "b", payload: new Uint8Array([7, 0, 255]).buffer });
    expect([...new Uint8Array((await received(other, 1))[0].payload)]).toEqual([7, 0, 255]);
  });

  it("of a client without an insert policy goes nowhere", async () => {
    const hers = await joined(listen(await stack.client({ user: ada }), "hall:1", secret));
    const his = await joined(listen(await stack.client({ user: bob }), "hall:1", secret));
    await hers.channel.send({ type: "broadcast", event: "refused", payload: {} });
    await send("hall:1", { end: true });
    await Promise.all([received(hers, 1), received(his, 1)]);
    expect(his.received.map(({ event }) => event)).toEqual(["job"]);
  });

  it("is refused where a policy fails", async () => {
    const hers = listen(await stack.client({ user: ada }), "broken", secret);
    await expect.poll(() => hers.statuses.at(-1)).toMatch(/Unauthorized/);
    expect(stack.logged.join("\n")).toMatch(/division by zero/);
  });
});

describe("broadcast over HTTP", () => {
  const endpoint = "/realtime/v1/api/broadcast";
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}${path}`, {
      method: "POST",
      headers: { apikey: stack.keys.publishable, "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  it("reaches the topic's channels as supabase-js sends it", async () => {
    const hers = await joined(listen(await stack.client({ user: ada }), "room:http", secret));
    const client = await stack.client({ user: bob });
    const channel = client.channel("room:http", secret);
    expect(await channel.httpSend("hello", { from: "bob" })).toEqual({ success: true });
    expect(await channel.httpSend("bytes", new Uint8Array([1, 2]))).toEqual({ success: true });
    expect(await channel.send({ type: "broadcast", event: "batch", payload: { n: 1 } })).toBe("ok");
    const [json, bytes, batch] = await received(hers, 3);
    expect(json).toMatchObject({ event: "hello", payload: { from: "bob" } });
    expect([...new Uint8Array(bytes.payload)]).toEqual([1, 2]);
    expect(batch).toMatchObject({ event: "batch", payload: { n: 1 } });
  });

  it("answers as hosted what it can't accept", async () => {
    const one = `${endpoint}/hall%3A1/events/e`;
    const authorization = `Bearer ${await stack.token(ada)}`;
    expect((await post(`${one}?private=true`, {}, { authorization })).status).toBe(403);
    expect((await post(one, {})).status).toBe(202);
    expect((await post(one, {}, { apikey: "sb_publishable_wrong" })).status).toBe(401);
    expect((await post(one, {}, { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(endpoint, { messages: [{ topic: "t" }] })).status).toBe(422);
    expect((await post("/realtime/v1/api/tenants", {})).status).toBe(404);
    expect((await post(`${endpoint}/%E0/events/e`, {})).status).toBe(400);
    const persisted = await post(`${one}?persist=true`, {});
    expect([persisted.status, await persisted.json()]).toMatchObject([501, { code: "not_implemented" }]);
  });
});

describe("schema realtime", () => {
  it("keeps messages for 72 hours", async () => {
    await stack.sql`
      insert into realtime.messages (topic, extension, inserted_at)
      select 'kept', 'broadcast', now() - make_interval(hours => age) from unnest(array[71, 73]) as age`;
    const another = await startRealtime(database.superuserUrl);
    await another.stop();
    expect(await stack.sql`select from realtime.messages where topic = 'kept'`).toHaveLength(1);
  });

  it("is open to no new objects of postgres", async () => {
    await expect(asPostgres("create table realtime.mine (id int)")).rejects.toThrow(
      /permission denied for schema realtime/,
    );
  });
});
