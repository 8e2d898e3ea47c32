import { evaluateChange } from "./change-evaluation.ts";
import { newValues } from "./change-rendering.ts";
import type { Pool } from "./connect-like.ts";
import type { RowChange } from "./feed.ts";
import { type Broadcast, encodeJson } from "./frames.ts";
import type { Hub } from "./hub.ts";

/** Changes evaluated at a time; they are delivered in commit order all the same. */
const LANES = 4;

/** What `createChangeDispatch` needs. */
export interface DispatchOptions {
  pool: Pool;
  hub: Hub;
  log: (message: string) => void;
}

/**
 * Sends each change to those who may see it. Rows of `realtime.messages` are broadcasts; they need no look at the
 * database and don't wait for the others. A change that can't be evaluated fails the channels that wait for it: they
 * join again and read anew, rather than miss it.
 */
export function createChangeDispatch({ pool, hub, log }: DispatchOptions): (change: RowChange) => void {
  const lanes = Array.from({ length: LANES }, () => Promise.resolve());
  let turn = 0;
  let delivered = Promise.resolve();

  return (change) => {
    if (change.relation.schema === "realtime" && change.relation.table === "messages") {
      if (change.type === "INSERT") broadcastMessage(hub, change, log);
      return;
    }
    const watchers = hub.watchers(change);
    if (watchers.length === 0) return;
    const lane = turn++ % LANES;
    const evaluated = (lanes[lane] as Promise<void>).then(() =>
      evaluateChange(pool.sql, change, watchers, log),
    );
    lanes[lane] = evaluated.then(
      () => {},
      () => {},
    );
    delivered = delivered
      .then(() => evaluated)
      .then(
        (deliveries) => {
          for (const { channel, ids, data } of deliveries) {
            const message = { joinRef: null, ref: null, topic: channel.topic, event: "postgres_changes" };
            channel.send(
              encodeJson(channel.version, message, `{"ids":${JSON.stringify(ids)},"data":${data}}`),
            );
          }
        },
        (error: Error) => {
          log(
            `realtime: a change of ${change.relation.schema}.${change.relation.table} is lost: ${error.message}`,
          );
          for (const { channel } of watchers) channel.fail();
        },
      );
  };
}

function broadcastMessage(hub: Hub, change: RowChange, log: (message: string) => void): void {
  const message = newValues(change);
  const [topic, event, id] = [message.get("topic"), message.get("event"), message.get("id")];
  const payload = payloadOf(message.get("payload"), message.get("binary_payload"));
  if (!topic || !event || !id || !payload || message.get("private") == null) {
    log(`realtime: message ${id} needs topic, event, private and payload`);
    return;
  }
  hub.broadcast(topic, message.get("private") === "t", { event, ...payload, meta: { id } });
}

function payloadOf(
  json: string | null | undefined,
  binary: string | null | undefined,
): Pick<Broadcast, "encoding" | "body"> | undefined {
  if (binary != null) return { encoding: "binary", body: Buffer.from(binary.replace(/^\\x/, ""), "hex") };
  return json == null ? undefined : { encoding: "json", body: Buffer.from(json) };
}
