import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "@podbase/local";
import { createSimulator, type Handler, type Post, type Simulator } from "@podbase/simulator";

/** A webhook that RunPod's twin sent. Times in milliseconds since the epoch. */
export interface SentWebhook {
  task: string;
  attempt: string;
  sentAt: number;
  answeredAt: Promise<number>;
}

/** The stack with a RunPod twin whose workers are warm, quick, and in this process. */
export interface MeasuredStack {
  stack: Stack;
  simulator: Simulator;
  webhooks: SentWebhook[];
  /** Calls of workers to the webhook function so far. */
  workerCalls: () => number;
  /** Ends it and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

const ROUTES = ["text", "audio", "pdf"] as const;
const API_KEY = "rpa_simulator";

/** Milliseconds since the epoch, finer than a millisecond. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Starts it on free ports in a temporary folder. */
export async function startMeasuredStack(projectDir: string): Promise<MeasuredStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-bench-stack-"));
  const webhooks: SentWebhook[] = [];
  let workerCalls = 0;
  const simulator = await createSimulator({
    apiKey: API_KEY,
    webhook: { post: timedPost(webhooks) },
    endpoints: Object.fromEntries(
      ROUTES.map((route) => {
        const handler = worker(() => {
          workerCalls += 1;
        });
        return [route, { handler, coldStartMs: 0, pickupMs: 0, idleTimeoutMs: 600_000 }];
      }),
    ),
  });
  const removeData = () => rm(dataDir, { recursive: true, force: true });
  let stack: Stack;
  try {
    stack = await startStack({
      projectDir,
      dataDir,
      port: 0,
      watch: false,
      functionsEnv: { RUNPOD_API_KEY: API_KEY, RUNPOD_BASE_URL: simulator.url },
    });
  } catch (error) {
    await simulator.stop();
    await removeData();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= simulator.stop().then(stack.stop).then(removeData);
    return stopped;
  };
  try {
    await configure(stack);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stack, simulator, webhooks, workerCalls: () => workerCalls, stop };
}

async function configure({ sql }: Stack): Promise<void> {
  const endpoints = Object.fromEntries(
    ROUTES.map((route) => [route, { providerId: route, maxInFlight: 10 }]),
  );
  const routes = Object.fromEntries(ROUTES.map((route) => [route, [route]]));
  await sql`select podbase.configure(${sql.json({ endpoints, routes })})`;
}

function timedPost(webhooks: SentWebhook[]): Post {
  return async (address, headers, body, signal) => {
    const [attempt = "", task = ""] = new URL(address).pathname.split("/").reverse();
    const sentAt = now();
    const response = fetch(address, { method: "POST", headers, body, signal, redirect: "manual" });
    const answeredAt = response.then(async (answer) => {
      await answer.arrayBuffer();
      return now();
    });
    webhooks.push({ task, attempt, sentAt, answeredAt });
    await answeredAt;
    return (await response).status;
  };
}

interface WorkerInput {
  podbase: { callback: string; token: string };
}

/** A worker that does no work: it starts, fills its upload slots and reports, as every worker has to. */
const worker =
  (onCall: () => void): Handler<WorkerInput> =>
  async ({ input }) => {
    const { callback, token } = input.podbase;
    onCall();
    const started = await fetch(`${callback}/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
    const answer = (await started.json()) as { proceed: boolean; uploads?: Record<string, Slot> };
    if (!answer.proceed) return { error: "told to stop" };
    const artifacts: Record<string, { bytes: number; sha256: string }> = {};
    for (const [name, slot] of Object.entries(answer.uploads ?? {})) {
      const body = Buffer.from(`${name} of a measured job`);
      const headers = { "content-type": slot.contentType, "x-upsert": "true" };
      const put = await fetch(slot.url, { method: "PUT", headers, body });
      if (!put.ok) return { error: `upload of ${name}: ${put.status}` };
      artifacts[name] = { bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") };
    }
    return { text: "A measured reading.", podbase: { artifacts } };
  };

interface Slot {
  url: string;
  contentType: string;
}
