import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pdfHandler, runHandler, textHandler } from "@podbase/worker";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll } from "vitest";
import ws from "ws";
import { type DemoOptions, type DemoStack, startDemoStack } from "../../packages/cli/src/demo-stack.ts";
import { wave } from "./wave.ts";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An input that a reading accepts. */
export const INPUT = { name: "Zoë", birthDate: "1988-02-29", question: "What now?", voice: "bass" };

/** Half a second of a tone. */
const BEEP = wave(Int16Array.from({ length: 4000 }, (_, n) => 8000 * Math.sin(n / 3)));

/** The reading worker in this process, with a beep for a voice: all its calls and files, a fraction of its time. */
const QUICK: NonNullable<DemoOptions["handlers"]> = {
  text: (job) => runHandler(job, textHandler),
  audio: (job) => runHandler(job, async (_input, { upload }) => upload("audio", BEEP).then(() => ({}))),
  pdf: (job) => runHandler(job, pdfHandler),
};

/** A demo stack of its own on free ports, in a temporary folder that `stop` removes. */
export async function startOwnDemo(
  options: { coldStartMs?: number; webDir?: string; realWorker?: boolean } = {},
): Promise<DemoStack & { dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-e2e-"));
  const demo = await startDemoStack({
    projectDir: ROOT,
    dataDir,
    port: 0,
    coldStartMs: options.coldStartMs ?? 300,
    log: () => {},
    ...(options.realWorker ? {} : { handlers: QUICK }),
    ...(options.webDir ? { webDir: options.webDir } : {}),
  });
  return {
    ...demo,
    dataDir,
    async stop() {
      await demo.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A demo stack and somebody signed in, for a whole test file. Awaited once, at the top of the file. */
export async function demoOfFile(options: Parameters<typeof startOwnDemo>[0] = {}) {
  const demo = await startOwnDemo(options);
  afterAll(() => demo.stop());
  return { demo, alice: await signUp(demo) };
}

/** A client of the stack, signed out. */
export function newClient({ stack }: DemoStack, key = stack.publishableKey): SupabaseClient {
  return clientAt(stack.url, key);
}

/** A client of the project at `url`, signed out. */
export function clientAt(url: string, key: string): SupabaseClient {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: ws as never },
  });
}

/** A client with a new user signed in. */
export async function signUp(
  demo: DemoStack,
): Promise<{ supabase: SupabaseClient; user: string; token: string }> {
  const supabase = newClient(demo);
  const { data, error } = await supabase.auth.signUp({
    email: `${crypto.randomUUID()}@example.com`,
    password: crypto.randomUUID(),
  });
  if (error || !data.user || !data.session) throw new Error("sign-up failed", { cause: error });
  await supabase.realtime.setAuth();
  return { supabase, user: data.user.id, token: data.session.access_token };
}

/** Requests a reading and gives its id. */
export async function requestReading(supabase: SupabaseClient, input: object = INPUT): Promise<string> {
  const { data, error } = await supabase.functions.invoke<{ jobId: string }>("request-job", {
    body: { kind: "reading", input },
  });
  if (error || !data) throw new Error("the request was refused", { cause: error });
  return data.jobId;
}

/** Joins a private topic. Resolves with what the server said and the messages heard from then on. */
export async function joinTopic(supabase: SupabaseClient, topic: string) {
  const messages: Record<string, unknown>[] = [];
  const channel = supabase.channel(topic, { config: { private: true } });
  const status = await new Promise<string>((resolve) => {
    channel
      .on("broadcast", { event: "*" }, ({ payload }) => messages.push(payload))
      .subscribe((state) => resolve(state));
  });
  return { status, messages, channel };
}

/** Resolves when `find` gives something, looking again every 50 ms; the test's own time-out ends the wait. */
export async function eventually<T>(
  find: () => Promise<T | undefined | false | null> | T | undefined | false | null,
): Promise<T> {
  for (;;) {
    const found = await find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until a job is in a final status and gives its row, by direct reads. */
export async function finished(supabase: SupabaseClient, id: string) {
  return eventually(async () => {
    const { data, error } = await supabase
      .schema("podbase")
      .from("jobs")
      .select("*, tasks(*), artifacts(*)")
      .eq("id", id)
      .single();
    if (error) throw error;
    return data.finished_at ? data : undefined;
  });
}
