import { z } from "zod";
import { type Filter, FilterError, parseFilters } from "./filters.ts";

/** One postgres_changes binding of a channel. */
export interface Subscription {
  /** Names the binding in every change sent for it. */
  id: number;
  event: "*" | "INSERT" | "UPDATE" | "DELETE";
  schema: string;
  table: string;
  filters: Filter[];
  /** Columns asked for; null for all. The primary key always comes along. */
  select: string[] | null;
  /** What the client sent: it compares the reply with that, binding by binding. */
  params: Record<string, unknown>;
}

/** A valid `phx_join`. */
export interface JoinRequest {
  isPrivate: boolean;
  ack: boolean;
  self: boolean;
  replicationReady: boolean;
  presence: boolean;
  /** Hold the reply until the subscriptions stand. */
  wait: boolean;
  subscriptions: Subscription[];
  token: string | undefined;
}

/** A join that can't be served; the message is the reply's `reason`. */
export class JoinError extends Error {
  override name = "JoinError";
}

/** Booleans also come as text (supabase/realtime, `FlexibleBoolean`). */
const flag = z
  .union([
    z.boolean(),
    z.string().transform((text, context) => {
      if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
      context.addIssue({ code: "custom", message: "expected boolean" });
      return z.NEVER;
    }),
  ])
  .nullish()
  .transform((value) => value ?? false);

const binding = z.looseObject({
  event: z.string().optional(),
  schema: z.string().optional(),
  table: z.string().optional(),
  filter: z.string().optional(),
  select: z.array(z.string()).nullish(),
});

const joinPayload = z.object({
  config: z.object({
    broadcast: z
      .object({ ack: flag, self: flag, replication_ready: flag, replay: z.unknown().optional() })
      .nullish(),
    presence: z.object({ enabled: flag }).nullish(),
    postgres_changes: z.array(binding.nullable()).nullish(),
    postgres_changes_options: z.object({ wait: flag }).nullish(),
    private: flag,
  }),
  access_token: z.string().nullish(),
  user_token: z.string().nullish(),
});

let lastId = 0;

/** Reads the payload of a `phx_join`. Throws JoinError. */
export function parseJoin(payload: unknown): JoinRequest {
  const parsed = joinPayload.safeParse(payload);
  if (!parsed.success) throw new JoinError(`InvalidJoinPayload: ${z.prettifyError(parsed.error)}`);
  const { config, access_token, user_token } = parsed.data;
  if (config.broadcast?.replay)
    throw new JoinError("UnableToReplayMessages: replay is not served by the local stack");
  return {
    isPrivate: config.private,
    ack: config.broadcast?.ack ?? false,
    self: config.broadcast?.self ?? false,
    replicationReady: config.broadcast?.replication_ready ?? false,
    presence: config.presence?.enabled ?? false,
    wait: config.postgres_changes_options?.wait ?? false,
    subscriptions: (config.postgres_changes ?? []).filter((params) => params !== null).map(parseSubscription),
    token: user_token ?? access_token ?? undefined,
  };
}

function parseSubscription(params: z.infer<typeof binding>): Subscription {
  const { schema, table, filter } = params;
  const refuse = (reason: string) => new JoinError(`RealtimeDisabledForConfiguration: ${reason}`);
  if (schema === undefined && table === undefined)
    throw refuse(
      `No subscription params provided. Please provide at least a \`schema\` or \`table\` to subscribe to: ${JSON.stringify(params)}`,
    );
  const select = params.select?.length ? params.select : null;
  if (select && (schema === "*" || (table ?? "*") === "*"))
    throw refuse(
      "Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.",
    );
  try {
    return {
      id: ++lastId,
      event: eventOf(params.event),
      schema: schema ?? "public",
      table: table ?? "*",
      filters: parseFilters(filter ?? ""),
      select,
      params,
    };
  } catch (error) {
    if (error instanceof FilterError) throw refuse(`Error parsing \`filter\` params: ${error.message}`);
    throw error;
  }
}

function eventOf(event: string | undefined): Subscription["event"] {
  const upper = event?.toUpperCase();
  return upper === "INSERT" || upper === "UPDATE" || upper === "DELETE" ? upper : "*";
}
