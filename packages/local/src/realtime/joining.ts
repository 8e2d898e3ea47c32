import { Channel, type ChannelServices, type ChannelSocket, mayJoin } from "./channel.ts";
import type { Message } from "./frames.ts";
import { JoinError, parseJoin } from "./join-request.ts";
import { checkSubscriptions, SubscribeError } from "./subscribing.ts";
import { claimsOfToken, TokenError } from "./tokens.ts";

/** Shorter than the 10 s realtime-js waits for a reply. */
const FEED_PATIENCE_MS = 5000;
const NOT_CONNECTED = "InitializingProjectConnection: Connecting to the project database";

/**
 * Lets a socket into a topic and tells it so; undefined if the socket closed meanwhile. From the reply on the channel
 * misses no change. Throws JoinError with the reason hosted Realtime would give.
 */
export async function joinChannel(
  services: ChannelServices,
  socket: ChannelSocket,
  { topic, ref, joinRef, payload }: Message,
): Promise<Channel | undefined> {
  const name = topic.slice("realtime:".length);
  if (name === "") throw new JoinError("TopicNameRequired: You must provide a topic name");
  const request = parseJoin(payload);
  await services.feed.ready(FEED_PATIENCE_MS).catch(() => {
    throw new JoinError(NOT_CONNECTED);
  });
  const generation = services.feed.generation();
  const claims = await claimsOfToken(services.keys, request.token, socket.keyRole).catch((error) => {
    throw error instanceof TokenError ? new JoinError(`${error.code}: ${error.message}`) : error;
  });
  const access = { claims, topic: name, headers: socket.headers };
  if (request.isPrivate && !(await mayJoin(services, access)))
    throw new JoinError(`Unauthorized: You do not have permissions to read from this Channel topic: ${name}`);
  const waited = request.wait && request.subscriptions.length > 0;
  if (waited) {
    const { pool, publication } = services;
    await checkSubscriptions(pool.sql, publication, claims.role, request.subscriptions).catch((error) => {
      throw error instanceof SubscribeError
        ? new JoinError(`RealtimeDisabledForConfiguration: ${error.message}`)
        : error;
    });
  }
  if (!services.feed.isLive() || services.feed.generation() !== generation)
    throw new JoinError(NOT_CONNECTED);
  if (!socket.isOpen()) return undefined;
  const channel = new Channel(services, socket, { topic, joinRef: joinRef ?? ref, request, claims });
  channel.start(ref, waited);
  return channel;
}
