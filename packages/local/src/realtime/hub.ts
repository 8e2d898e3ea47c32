import type { Claims } from "../context.ts";
import type { RowChange } from "./feed.ts";
import { type Broadcast, encodeBroadcast, type Version } from "./frames.ts";
import type { Subscription } from "./join-request.ts";

/** A joined channel, as far as the hub cares. */
export interface Member {
  /** Topic without the wire's prefix `realtime:`. */
  name: string;
  /** Topic with it. */
  topic: string;
  isPrivate: boolean;
  version: Version;
  claims: Claims;
  /** Subscriptions that stand: checked against the database. */
  subscriptions(): Subscription[];
  send(frame: string | Buffer): void;
  /** Tells the client to join again. */
  fail(): void;
}

/** Every joined channel, by topic. A private and a public channel of one name never hear each other. */
export interface Hub<M extends Member = Member> {
  add(member: M): void;
  remove(member: M): void;
  /** Sends a broadcast to the topic's channels but `except`. */
  broadcast(topic: string, isPrivate: boolean, broadcast: Broadcast, except?: M): void;
  /** Subscriptions to the change's table and event. */
  watchers(change: RowChange): { channel: M; subscription: Subscription; claims: Claims }[];
  /** Tells every channel to join again: something may have been missed. */
  failAll(): void;
  /** Channels joined now. */
  size(): number;
}

const keyOf = (topic: string, isPrivate: boolean): string => `${isPrivate ? "private" : "public"}:${topic}`;

/** Makes an empty hub. */
export function createHub<M extends Member>(): Hub<M> {
  const topics = new Map<string, Set<M>>();
  const everyone = function* () {
    for (const members of topics.values()) yield* members;
  };
  return {
    add(member) {
      const key = keyOf(member.name, member.isPrivate);
      topics.set(key, (topics.get(key) ?? new Set()).add(member));
    },
    remove(member) {
      const key = keyOf(member.name, member.isPrivate);
      const members = topics.get(key);
      members?.delete(member);
      if (members?.size === 0) topics.delete(key);
    },
    broadcast(topic, isPrivate, broadcast, except) {
      const frames = new Map<Version, string | Buffer | undefined>();
      for (const member of topics.get(keyOf(topic, isPrivate)) ?? []) {
        if (member === except) continue;
        if (!frames.has(member.version))
          frames.set(member.version, encodeBroadcast(member.version, member.topic, broadcast));
        const frame = frames.get(member.version);
        if (frame !== undefined) member.send(frame);
      }
    },
    watchers({ type, relation: { schema, table } }) {
      const matches = (s: Subscription) =>
        (s.event === "*" || s.event === type) &&
        (s.schema === "*" || s.schema === schema) &&
        (s.table === "*" || s.table === table);
      return [...everyone()].flatMap((channel) =>
        channel
          .subscriptions()
          .filter(matches)
          .map((subscription) => ({ channel, subscription, claims: channel.claims })),
      );
    },
    failAll() {
      for (const member of [...everyone()]) member.fail();
    },
    size: () => [...everyone()].length,
  };
}
