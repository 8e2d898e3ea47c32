import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPodbase } from "@podbase/client";
import type { Stack } from "@podbase/local";
import type { Simulator, SimulatorEvent } from "@podbase/simulator";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import ws from "ws";
import type { jobs } from "../../../supabase/functions/_shared/jobs.ts";

/** One message of the user's Realtime topic, as it arrived. */
export interface TimelineEntry {
  /** ISO time of arrival. */
  at: string;
  status: string;
  phase: string;
  version: number;
  task?: string;
  taskStatus?: string;
}

/** What a run leaves behind; the demo's last line under `--json`. */
export interface RunReport {
  ok: boolean;
  jobId: string;
  status: string;
  timeline: TimelineEntry[];
  artifacts: { name: string; path: string; bytes: number; contentType: string }[];
  /** `request`: the invoke of request-job. `webhookToClient`: median from a job's end at RunPod to the message here. */
  latencyMs: { request: number; webhookToClient: number | null };
}

const INPUT = {
  name: "Ada Lovelace",
  birthDate: "1990-12-10",
  question: "What should I give my attention to this year?",
  voice: "alto",
};
const EXTENSIONS: Record<string, string> = {
  "text/markdown": "md",
  "audio/wav": "wav",
  "application/pdf": "pdf",
};

/**
 * Runs one reading as an app would: signs a user up, joins the private topic, requests the job, follows it over Realtime
 * alone, without a poll, and saves the artifacts to `outDir`.
 */
export async function runReading(
  { stack, simulator }: { stack: Stack; simulator: Simulator },
  outDir: string,
  print: (line: string) => void,
): Promise<RunReport> {
  // Before the minute that a reading may take, in case it can't be made.
  await mkdir(outDir, { recursive: true });
  const supabase = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false },
    // Node before 22 has no WebSocket of its own.
    realtime: { transport: ws as never },
  });
  const ends: SimulatorEvent[] = [];
  const unsubscribe = simulator.subscribe((event) => {
    if (event.type === "finished") ends.push(event);
  });
  const podbase = createPodbase<typeof jobs>(supabase);
  try {
    const user = await signUp(supabase);
    const timeline: TimelineEntry[] = [];
    const delays: number[] = [];
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const topic = await follow(supabase, user, (message) => {
      const { task } = message;
      const entry: TimelineEntry = {
        at: new Date().toISOString(),
        status: message.status,
        phase: message.phase,
        version: message.version,
        ...(task ? { task: task.name, taskStatus: task.status } : {}),
      };
      timeline.push(entry);
      print(describe(entry));
      // The demo has one endpoint a task, named after it.
      const ended =
        task?.status === "completed" &&
        ends.find((event) => "endpoint" in event && event.endpoint.endsWith(task.name));
      if (ended) delays.push(Date.now() - ended.at);
      if (["completed", "failed", "canceled"].includes(message.status)) end();
    });

    const asked = performance.now();
    const { data, error } = await supabase.functions.invoke<{ jobId: string }>("request-job", {
      body: { kind: "reading", input: INPUT, idempotencyKey: crypto.randomUUID() },
    });
    if (error || !data) throw new Error("request-job refused the reading", { cause: error });
    const request = Math.round(performance.now() - asked);

    await over;
    await supabase.removeChannel(topic);
    const { data: job, error: unread } = await podbase.jobs.get(data.jobId);
    if (unread || !job) throw new Error("the finished job could not be read", { cause: unread });

    const artifacts: RunReport["artifacts"] = [];
    for (const artifact of Object.values(job.tasks).flatMap((task) => Object.values(task.artifacts))) {
      if (!artifact) continue;
      const { data: file, error: refused } = await podbase.artifacts.download(artifact);
      if (refused) throw refused;
      const bytes = new Uint8Array(await file.arrayBuffer());
      const path = join(outDir, `${artifact.name}.${EXTENSIONS[artifact.contentType] ?? "bin"}`);
      await writeFile(path, bytes);
      artifacts.push({ name: artifact.name, path, bytes: bytes.length, contentType: artifact.contentType });
    }
    return {
      ok: job.status === "completed",
      jobId: job.id,
      status: job.status,
      timeline,
      artifacts,
      latencyMs: { request, webhookToClient: median(delays) },
    };
  } finally {
    unsubscribe();
    podbase.close();
    await supabase.auth.stopAutoRefresh();
    await supabase.realtime.disconnect();
  }
}

interface Message {
  job: string;
  status: string;
  phase: string;
  version: number;
  task?: { name: string; status: string };
}

async function signUp(supabase: SupabaseClient): Promise<string> {
  const { data, error } = await supabase.auth.signUp({
    email: `ada-${crypto.randomUUID()}@example.com`,
    password: crypto.randomUUID(),
  });
  if (error || !data.user) throw new Error("sign-up failed", { cause: error });
  return data.user.id;
}

/** Joins the user's topic and resolves once the server has confirmed it, so that not even the first message is missed. */
async function follow(supabase: SupabaseClient, user: string, listen: (message: Message) => void) {
  await supabase.realtime.setAuth();
  const channel = supabase.channel(`podbase:${user}`, { config: { private: true } });
  await new Promise<void>((resolve, reject) => {
    channel
      .on("broadcast", { event: "job" }, ({ payload }) => listen(payload as Message))
      .subscribe((status, error) => {
        if (status === "SUBSCRIBED") resolve();
        if (status === "CHANNEL_ERROR") reject(new Error("could not join the topic", { cause: error }));
      });
  });
  return channel;
}

function describe(entry: TimelineEntry): string {
  const task = entry.task ? `${entry.task}: ${entry.taskStatus}` : "requested";
  return `${entry.at.slice(11, 23)}  v${String(entry.version).padEnd(3)} ${entry.status.padEnd(11)} ${entry.phase.padEnd(19)} ${task}`;
}

function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
