import type { Claims } from "../context.ts";
import type { Keys } from "../keys.ts";
import { mayReceive, maySend } from "./authorization.ts";
import type { Pool } from "./connect-like.ts";
import type { Feed } from "./feed.ts";
import { type Broadcast, type ClientFrame, encodeMessage, type Version } from "./frames.ts";
import type { Hub, Member } from "./hub.ts";
import type { JoinRequest, Subscription } from "./join-request.ts";
import { isStatementError } from "./statement-error.ts";
import { checkSubscriptions, SubscribeError } from "./subscribing.ts";
import { claimsOfToken, expiredMessage, TokenError } from "./tokens.ts";

/** What all channels of a stack share. */
export interface ChannelServices {
  pool: Pool;
  keys: Keys;
  hub: Hub<Channel>;
  feed: Feed;
  /** Publication of postgres_changes. */
  publication: string;
  log: (message: string) => void;
}

/** The socket a channel talks through. */
export interface ChannelSocket {
  version: Version;
  /** Role of the API key the socket was opened with. */
  keyRole: string;
  headers: Record<string, string>;
  isOpen(): boolean;
  send(frame: string | Buffer): void;
  /** The channel speaks through the socket from now on. */
  keep(channel: Channel): void;
  /** The channel is gone from the socket. */
  forget(channel: Channel): void;
}

/** How the channel was joined. */
export interface ChannelIdentity {
  topic: string;
  joinRef: string | null;
  request: JoinRequest;
  claims: Claims;
}

/** Hosted Realtime looks at tokens at least this often. */
const LONGEST_TOKEN_CHECK_MS = 5 * 60_000;

/** One joined channel of one socket. Its frames are handled one after another. */
export class Channel implements Member {
  readonly topic: string;
  readonly name: string;
  readonly joinRef: string | null;
  readonly isPrivate: boolean;
  readonly version: Version;
  claims: Claims;
  private readonly services: ChannelServices;
  private readonly socket: ChannelSocket;
  private readonly request: JoinRequest;
  private token: string | undefined;
  private subscribed = false;
  /** Answer of the insert policies, asked at the first send with these claims. */
  private sendAllowed: boolean | undefined;
  private tokenTimer: NodeJS.Timeout | undefined;
  private open = true;

  constructor(services: ChannelServices, socket: ChannelSocket, identity: ChannelIdentity) {
    this.services = services;
    this.socket = socket;
    this.topic = identity.topic;
    this.name = identity.topic.slice("realtime:".length);
    this.joinRef = identity.joinRef;
    this.request = identity.request;
    this.claims = identity.claims;
    this.token = identity.request.token;
    this.isPrivate = identity.request.isPrivate;
    this.version = socket.version;
  }

  /** Subscriptions that stand. */
  subscriptions(): Subscription[] {
    return this.subscribed ? this.request.subscriptions : [];
  }

  /** Sends a finished frame, unless the channel is over. */
  send(frame: string | Buffer): void {
    if (this.open) this.socket.send(frame);
  }

  /** Joins the topic and tells the client; what it is told of later follows the reply to its join. */
  start(ref: string | null, subscribed: boolean): void {
    this.services.hub.add(this);
    this.socket.keep(this);
    this.subscribed = subscribed;
    this.watchToken();
    const bindings = this.request.subscriptions.map(({ id, params }) => ({ ...params, id }));
    this.reply(ref, "ok", { postgres_changes: bindings });
    this.push("presence_state", {});
    if (this.request.presence) this.system("presence", "error", PRESENCE_NOT_SERVED);
    if (this.request.replicationReady) this.system("system", "ok", "Replication connection established");
  }

  /** Makes the subscriptions stand, or says why they can't. */
  async subscribe(): Promise<void> {
    const { subscriptions } = this.request;
    if (subscriptions.length === 0) return;
    try {
      const { pool, publication, feed } = this.services;
      await checkSubscriptions(pool.sql, publication, this.claims.role, subscriptions);
      await feed.ensureFollows(publication);
    } catch (error) {
      if (!(error instanceof SubscribeError)) throw error;
      this.subscribed = false;
      this.system("postgres_changes", "error", error.message);
      return;
    }
    this.subscribed = true;
    this.system("postgres_changes", "ok", "Subscribed to PostgreSQL");
  }

  /** Handles a frame for this channel other than its join. */
  async handle(frame: ClientFrame): Promise<void> {
    if (frame.kind === "broadcast") return this.handleBroadcast(frame.ref, frame.broadcast);
    if (frame.event === "phx_leave") {
      this.reply(frame.ref, "ok", {});
      this.close();
    } else if (frame.event === "access_token") {
      await this.renewToken((frame.payload as { access_token?: unknown } | null)?.access_token);
    } else if (frame.event === "presence") {
      this.system("presence", "error", PRESENCE_NOT_SERVED);
      this.reply(frame.ref, "error", { reason: PRESENCE_NOT_SERVED });
    }
  }

  /** Ends the channel for good: the client does not join again by itself. */
  close(): void {
    this.end("phx_close");
  }

  /** Ends the channel with an error: the client joins again. */
  fail(): void {
    this.end("phx_error");
  }

  /** Ends the channel without a word, as its socket is gone. */
  drop(): void {
    if (!this.open) return;
    this.open = false;
    clearTimeout(this.tokenTimer);
    this.services.hub.remove(this);
    this.socket.forget(this);
  }

  private end(event: "phx_close" | "phx_error"): void {
    if (!this.open) return;
    const { joinRef, topic } = this;
    this.send(encodeMessage(this.version, { joinRef, ref: joinRef, topic, event, payload: {} }));
    this.drop();
  }

  private async handleBroadcast(ref: string | null, broadcast: Broadcast): Promise<void> {
    // A refusal is silent, as on a hosted project, where even `ack` gets no answer then.
    if (this.isPrivate && !(await this.maySend())) return;
    const except = this.request.self ? undefined : this;
    this.services.hub.broadcast(this.name, this.isPrivate, broadcast, except);
    if (this.request.ack) this.reply(ref, "ok", {});
  }

  private async maySend(): Promise<boolean> {
    this.sendAllowed ??= await maySend(this.services.pool.sql, this.access()).catch((error) => {
      if (!isStatementError(error)) throw error;
      this.services.log(`realtime: an insert policy on realtime.messages failed: ${error.message}`);
      return false;
    });
    return this.sendAllowed;
  }

  private access() {
    return { claims: this.claims, topic: this.name, headers: this.socket.headers };
  }

  private async renewToken(token: unknown): Promise<void> {
    if (typeof token !== "string" || token.startsWith("sb_") || token === this.token) return;
    try {
      this.claims = await claimsOfToken(this.services.keys, token, this.socket.keyRole);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return this.shutDown(error.message);
    }
    this.token = token;
    this.sendAllowed = undefined;
    this.watchToken();
    if (this.isPrivate && !(await mayJoin(this.services, this.access())))
      return this.shutDown(`You do not have permissions to read from this Channel topic: ${this.name}`);
    await this.subscribe();
  }

  private watchToken(): void {
    clearTimeout(this.tokenTimer);
    const { exp } = this.claims;
    if (exp === undefined) return;
    const check = () => {
      const left = exp * 1000 - Date.now();
      if (left <= 0) this.shutDown(expiredMessage(exp));
      else this.tokenTimer = setTimeout(check, Math.min(left, LONGEST_TOKEN_CHECK_MS));
    };
    check();
  }

  private shutDown(message: string): void {
    this.system("system", "error", message);
    this.close();
  }

  private system(extension: string, status: "ok" | "error", message: string): void {
    this.push("system", { extension, status, message, channel: this.name });
  }

  private push(event: string, payload: unknown): void {
    const { joinRef, topic } = this;
    this.send(encodeMessage(this.version, { joinRef, ref: null, topic, event, payload }));
  }

  private reply(ref: string | null, status: "ok" | "error", response: unknown): void {
    const { joinRef, topic } = this;
    const payload = { status, response };
    this.send(encodeMessage(this.version, { joinRef, ref, topic, event: "phx_reply", payload }));
  }
}

const PRESENCE_NOT_SERVED = "NotImplemented: presence is not served by the local stack";

/** Whether policies let the caller into a private topic; one that fails lets nobody in. Rejects with the database. */
export async function mayJoin(
  { pool, log }: Pick<ChannelServices, "pool" | "log">,
  access: Parameters<typeof mayReceive>[1],
): Promise<boolean> {
  return mayReceive(pool.sql, access).catch((error) => {
    if (!isStatementError(error)) throw error;
    log(`realtime: a select policy on realtime.messages failed: ${error.message}`);
    return false;
  });
}
