import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "@podbase/simulator";
import type { Arena } from "./arena.ts";
import type { ChaosKind } from "./jobs.ts";

/** Requests a second. */
export const RATE = 5;
const USERS = 4;
const TIMEOUT_MS = 20_000;

/** A job that a user asked for. */
export interface Requested {
  key: string;
  user: string;
  kind: ChaosKind;
  n: number;
  /** Once the request was answered. */
  job?: string;
}

/** A signed-in user. */
export interface User {
  id: string;
  token: string;
}

/** New users, signed in. */
export async function signUpUsers({ stack }: Arena): Promise<User[]> {
  return Promise.all(
    Array.from({ length: USERS }, async () => {
      const response = await fetch(`${stack.url}/auth/v1/signup`, {
        method: "POST",
        headers: { apikey: stack.publishableKey, "content-type": "application/json" },
        body: JSON.stringify({ email: `${randomUUID()}@example.com`, password: randomUUID() }),
      });
      if (!response.ok) throw new Error(`sign-up: ${response.status} ${await response.text()}`);
      const { access_token: token, user } = (await response.json()) as {
        access_token: string;
        user: { id: string };
      };
      return { id: user.id, token };
    }),
  );
}

/** What is asked for, from the seed: mostly single tasks, some too dear to buy twice, some in three steps. */
export function planRequests(seed: string, jobs: number, users: User[]): (Requested & { token: string })[] {
  const random = createRandom(`${seed}/requests`);
  return Array.from({ length: jobs }, (_, n) => {
    const draw = random.next();
    const kind = draw < 0.7 ? "note" : draw < 0.85 ? "dear" : "chain";
    const user = users[n % users.length] as User;
    return { key: randomUUID(), user: user.id, token: user.token, kind, n };
  });
}

/**
 * Makes the requests, `RATE` a second, each repeated with its key until it is answered, as the client's outbox does.
 * Resolves when all were answered or `signal` fires.
 */
export async function sendRequests(
  arena: Arena,
  requests: (Requested & { token: string })[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    requests.map(async (request) => {
      await delay((request.n * 1000) / RATE);
      for (let pause = 200; !signal.aborted; pause = Math.min(2 * pause, 2000)) {
        const job = await send(arena, request);
        if (job !== undefined) {
          request.job = job;
          return;
        }
        await delay(pause);
      }
    }),
  );
}

/** The job's id; undefined when nobody can know whether the request was taken. Throws on a refusal. */
async function send(
  { stack }: Arena,
  { kind, n, key, token }: Requested & { token: string },
): Promise<string | undefined> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${stack.url}/functions/v1/request-job`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        apikey: stack.publishableKey,
        "content-type": "application/json",
      },
      body: JSON.stringify({ kind, input: { n }, idempotencyKey: key }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch {
    return undefined;
  }
  if (response.ok) return (JSON.parse(text) as { jobId: string }).jobId;
  if (response.status >= 500 || response.status === 429) return undefined;
  throw new Error(`request-job refused a job: ${response.status} ${text}`);
}
