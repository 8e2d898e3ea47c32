import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import { asClaims } from "../as-claims.ts";
import type { Claims } from "../context.ts";

/** Who asks for which topic; `headers` are those of the socket's request or of the HTTP call. */
export interface TopicAccess {
  claims: Claims;
  topic: string;
  headers: Record<string, string>;
}

const INSUFFICIENT_PRIVILEGE = "42501";

class Undo extends Error {}

/** Runs `work` as the caller, with `realtime.topic()` set, and undoes whatever it wrote. */
async function inUndoneTransaction<T>(
  sql: postgres.Sql,
  access: TopicAccess,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const { claims, topic, headers } = access;
  const settings = {
    "realtime.topic": topic,
    "request.headers": JSON.stringify(headers),
    "request.jwt.claim.sub": claims.sub ?? "",
    "request.jwt.claim.role": claims.role,
  };
  const done: { result?: { value: T } } = {};
  try {
    await asClaims(
      sql,
      claims,
      async (tx) => {
        done.result = { value: await work(tx) };
        throw new Undo();
      },
      settings,
    );
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return (done.result as { value: T }).value;
}

/**
 * True when a select policy on `realtime.messages` lets the caller receive the topic's broadcasts. A policy is tried on
 * a probe row, which the superuser writes and nobody ever sees. Rejects when a policy fails.
 */
export function mayReceive(sql: postgres.Sql, access: TopicAccess): Promise<boolean> {
  return inUndoneTransaction(sql, access, async (tx) => {
    const id = randomUUID();
    await tx`set local role none`;
    await tx`insert into realtime.messages (id, topic, extension) values (${id}, ${access.topic}, 'broadcast')`;
    await tx`select set_config('role', ${access.claims.role}, true)`;
    const rows = await tx`select from realtime.messages where id = ${id}`;
    return rows.length > 0;
  });
}

/** True when an insert policy on `realtime.messages` lets the caller send to the topic. Rejects when a policy fails. */
export async function maySend(sql: postgres.Sql, access: TopicAccess): Promise<boolean> {
  try {
    return await inUndoneTransaction(sql, access, async (tx) => {
      await tx`insert into realtime.messages (topic, extension) values (${access.topic}, 'broadcast')`;
      return true;
    });
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}
