import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { eventually, joined, type Listener, listen, realtimeOfFile, received } from "./realtime-stack.ts";

const ada = randomUUID();
const bob = randomUUID();
const { stack } = await realtimeOfFile();

beforeAll(() =>
  stack.sql.unsafe(`
    create policy receive_own on realtime.messages for select to authenticated
      using (realtime.topic() = 'user:' || (select auth.uid()));
    create table notes (id int primary key, owner uuid);
    alter table notes enable row level security;
    create policy own on notes for select to authenticated using (owner = (select auth.uid()));
    grant select on notes to authenticated, anon;
    alter publication supabase_realtime add table notes;`),
);

const secret = { config: { private: true } };
const send = (topic: string) => stack.sql`select realtime.send('{}', 'e', ${topic}, true)`;
const anyNote = { changes: [{ event: "*" as const, schema: "public", table: "notes" }] };

/** A client whose token is set by hand. */
async function clientWith(token: string) {
  const client = await stack.client();
  await client.realtime.setAuth(token);
  return client;
}

const closed = (listener: Listener) =>
  expect.poll(() => listener.statuses.at(-1), { timeout: 5000 }).toBe("CLOSED");

describe("a token", () => {
  it("that is renewed keeps the channel, and decides anew what it may see", async () => {
    const client = await clientWith(await stack.token(ada));
    const changes = await joined(listen(client, "notes", anyNote));
    await stack.sql`insert into notes values (1, ${ada})`;
    await received(changes, 1);
    await client.realtime.setAuth(await stack.token(bob));
    await eventually(() => expect(changes.system).toHaveLength(2));
    await stack.sql`insert into notes values (2, ${ada}), (3, ${bob})`;
    expect((await received(changes, 2)).map((change) => change.new.id)).toEqual([1, 3]);
    expect(changes.statuses).toEqual(["SUBSCRIBED"]);
  });

  it("of another user loses a private topic", async () => {
    const client = await clientWith(await stack.token(ada));
    const hers = await joined(listen(client, `user:${ada}`, secret));
    await client.realtime.setAuth(await stack.token(ada));
    await send(`user:${ada}`);
    await received(hers, 1);
    await client.realtime.setAuth(await stack.token(bob));
    await closed(hers);
    expect(hers.system.at(-1)).toMatchObject({
      extension: "system",
      status: "error",
      message: `You do not have permissions to read from this Channel topic: user:${ada}`,
    });
  });

  it("that expires ends the channel with a word", async () => {
    const before = stack.realtime.statistics().channels;
    const hers = listen(await clientWith(await stack.token(ada, 2)), `user:${ada}`, secret);
    await joined(hers);
    await closed(hers);
    expect(hers.system).toMatchObject([
      { extension: "system", status: "error", message: "Token has expired 0 seconds ago" },
    ]);
    expect(stack.realtime.statistics().channels).toBe(before);
  });

  it("that expired, or isn't ours, joins nothing", async () => {
    const expired = listen(await clientWith(await stack.token(ada, -10)), "a");
    const malformed = listen(await clientWith("ey.not.a-token"), "b");
    const [head, body, signature] = (await stack.token(ada)).split(".") as [string, string, string];
    const forged = listen(await clientWith([head, body, [...signature].reverse().join("")].join(".")), "c");
    await expect
      .poll(() => expired.statuses[0])
      .toMatch(/InvalidJWTToken: Token has expired 1\d seconds ago/);
    await expect
      .poll(() => malformed.statuses[0])
      .toMatch(/MalformedJWT: The token provided is not a valid JWT/);
    await expect
      .poll(() => forged.statuses[0])
      .toMatch(/JwtSignatureError: Failed to validate JWT signature/);
  });
});

describe("a channel", () => {
  it("that is left hears nothing any more and may be joined again", async () => {
    const client = await stack.client({ user: ada });
    const first = await joined(listen(client, `user:${ada}`, secret));
    expect(await client.removeChannel(first.channel)).toBe("ok");
    await send(`user:${ada}`);
    const second = await joined(listen(client, `user:${ada}`, secret));
    await send(`user:${ada}`);
    await received(second, 1);
    expect([first.received.length, second.received.length]).toEqual([0, 1]);
    expect(first.statuses).toEqual(["SUBSCRIBED", "CLOSED"]);
  });

  it("of a socket that is gone is forgotten", async () => {
    const client = await stack.client();
    await joined(listen(client, "forgotten"));
    const before = stack.realtime.statistics().channels;
    await client.realtime.disconnect();
    await expect.poll(() => stack.realtime.statistics().channels).toBe(before - 1);
  });

  it("is told when broadcasts from the database flow", async () => {
    const ready = listen(await stack.client(), "ready", {
      config: { broadcast: { replication_ready: true } },
    });
    await expect
      .poll(() => ready.system)
      .toEqual([
        {
          extension: "system",
          status: "ok",
          message: "Replication connection established",
          channel: "ready",
        },
      ]);
  });

  it("that waits for its subscriptions reports them with the join", async () => {
    const config = { postgres_changes_options: { wait: true } };
    const good = listen(await stack.client(), "w1", { config, ...anyNote });
    await joined(good);
    const bad = listen(await stack.client(), "w2", {
      config,
      changes: [{ event: "*", schema: "public", table: "nothing" }],
    });
    await expect.poll(() => bad.statuses[0]).toMatch(/RealtimeDisabledForConfiguration: Unable to subscribe/);
  });

  it("gets no replay and no presence, and is told so", async () => {
    const replay = listen(await stack.client({ user: ada }), `user:${ada}`, {
      config: { private: true, broadcast: { replay: { since: 0 } } },
    });
    await expect.poll(() => replay.statuses[0]).toMatch(/UnableToReplayMessages: replay is not served/);
    const present = listen(await stack.client(), "present", { config: { presence: { enabled: true } } });
    await joined(present);
    expect(await present.channel.track({ at: 1 })).toBe("error");
    expect(present.system[0]).toMatchObject({ extension: "presence", status: "error" });
    expect(present.channel.presenceState()).toEqual({});
  });

  it("is one of a hundred a socket may have", async () => {
    const client = await stack.client();
    const channels = Array.from({ length: 101 }, (_, index) => listen(client, `many ${index}`));
    await Promise.all(channels.slice(0, 100).map(joined));
    await expect.poll(() => channels[100]?.statuses[0]).toMatch(/ChannelRateLimitReached/);
    await client.realtime.disconnect();
  });
});

describe("a socket", () => {
  const connect = (query: string) =>
    new WebSocket(`${stack.url.replace("http", "ws")}/realtime/v1/websocket?${query}`);
  const open = async (query = `apikey=${stack.keys.publishable}&vsn=2.0.0`) => {
    const socket = connect(query);
    const frames: unknown[] = [];
    socket.on("message", (data) => frames.push(JSON.parse(String(data))));
    await once(socket, "open");
    return { socket, frames, send: (frame: unknown) => socket.send(JSON.stringify(frame)) };
  };

  it("needs a key of the project", async () => {
    for (const query of ["", "apikey=sb_publishable_wrong"]) {
      const [error] = await once(connect(query), "error");
      expect(error.message).toMatch("401");
    }
    const elsewhere = new WebSocket(`${stack.url.replace("http", "ws")}/realtime/v1/elsewhere`);
    const [error] = await once(elsewhere, "error");
    expect(error.message).toMatch("404");
  });

  it("gets its heartbeats answered and unknown topics refused", async () => {
    const { socket, frames, send } = await open();
    send([null, "1", "phoenix", "heartbeat", {}]);
    send(["2", "2", "realtime:nowhere", "access_token", { access_token: "x" }]);
    send(["3", "3", "elsewhere", "phx_join", {}]);
    send(["4", "4", "realtime:", "phx_join", { config: {} }]);
    send(["5", "5", "realtime:x", "phx_join", {}]);
    await expect.poll(() => frames.length).toBe(5);
    const replies = new Map((frames as string[][]).map(([, ref, , , payload]) => [ref, payload]));
    const error = (reason: unknown) => ({ status: "error", response: { reason } });
    expect(replies.get("1")).toEqual({ status: "ok", response: {} });
    expect(replies.get("2")).toEqual(error("unmatched topic"));
    expect(replies.get("3")).toEqual(error("unmatched topic"));
    expect(replies.get("4")).toEqual(error("TopicNameRequired: You must provide a topic name"));
    expect(replies.get("5")).toEqual(error(expect.stringMatching(/^InvalidJoinPayload/)));
    socket.close();
  });

  it("that joins a topic twice keeps the second join", async () => {
    const { socket, frames, send } = await open();
    send(["1", "1", "realtime:twice", "phx_join", { config: {} }]);
    send(["2", "2", "realtime:twice", "phx_join", { config: {} }]);
    await expect.poll(() => frames.length).toBe(5);
    const events = (frames as string[][]).map(([joinRef, , , event]) => [joinRef, event]);
    expect(events).toContainEqual(["1", "phx_close"]);
    expect(events.at(-1)).toEqual(["2", "presence_state"]);
    socket.close();
  });

  it("that speaks no Phoenix is closed", async () => {
    const { socket, send } = await open();
    send({ not: "an array" });
    const [code] = await once(socket, "close");
    expect(code).toBe(1007);
  });
});
