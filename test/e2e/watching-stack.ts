import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "@podbase/local";
import { createSimulator, type Handler } from "@podbase/simulator";
import { buildWeb, serveWeb } from "@podbase/web";
import { runHandler } from "@podbase/worker";
import { build } from "vite";
import { loadKeys } from "../../packages/local/src/keys.ts";
import { ROOT } from "./harness.ts";

const API_KEY = "rpa_simulator";
const READING = `# A reading for Grace

*Written under a waxing moon*

The garden knows more than it says. **Wait for the first warm week**, then begin at the edge and work inwards.

- Leave the old roots where they are.
- Plant one thing that you don't need.

> What grows slowly stays.
`;
/** What each route's handler makes. */
const RESULTS = {
  text: { artifact: "text", bytes: READING, output: { text: READING } },
  audio: { artifact: "audio", bytes: wave(), output: {} },
  pdf: { artifact: "pdf", bytes: "%PDF-1.4\n%%EOF\n", output: {} },
} as const;
type Route = keyof typeof RESULTS;

/** Where the page without a face is: the client alone, as `window.probe`. */
export const PROBE_PATH = "/probe.html";

/** A stack with the page, whose workers work at once and end when a test says so. */
export interface WatchingStack {
  stack: Stack;
  /** Lets these tasks of a job, all if none are named, come to their ends. */
  finish(job: string, ...tasks: Route[]): void;
  /** Lets the words of a job fail for good. */
  fail(job: string): void;
  /** While true, workers that take a job don't say so: it is shown as waiting for a worker. */
  muteStarts(muted: boolean): void;
  /** The statuses of a job and its tasks as the database has them. */
  truth(job: string): Promise<Record<string, string>>;
  /** The same access token with a life of this many seconds from now. */
  shortLived(token: string, seconds: number): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one on free ports, in a temporary folder that `stop` removes. */
export async function startWatchingStack({ page = true } = {}): Promise<WatchingStack> {
  const folder = await mkdtemp(join(tmpdir(), "podbase-watching-"));
  const webDir = join(folder, "web");
  const [probe] = page ? await Promise.all([buildProbe(), buildWeb({ outDir: webDir })]) : [""];
  const gates = createGates();
  let site: ((request: Request) => Promise<Response>) | undefined;
  const port = await freePort();
  const stack = await startStack({
    projectDir: ROOT,
    dataDir: join(folder, "data"),
    port: 0,
    watch: false,
    functionsEnv: { RUNPOD_API_KEY: API_KEY, RUNPOD_BASE_URL: `http://127.0.0.1:${port}/v2` },
    site: async (request) =>
      probeAnswer(request, probe) ?? site?.(request) ?? new Response(null, { status: 404 }),
  });
  if (page) site = serveWeb(webDir, { url: stack.url, publishableKey: stack.publishableKey });
  const simulator = await createSimulator({
    apiKey: API_KEY,
    port,
    endpoints: Object.fromEntries(
      (Object.keys(RESULTS) as Route[]).map((route) => [
        `reading-${route}`,
        {
          handler: handlerOf(route, gates),
          coldStartMs: 50,
          pickupMs: 5,
          queueDelayMs: 20,
          workersMax: 40,
          idleTimeoutMs: 600_000,
        },
      ]),
    ),
  });
  await stack.sql`select podbase.configure(${stack.sql.json({
    endpoints: Object.fromEntries(
      Object.keys(RESULTS).map((route) => [
        `reading-${route}`,
        { providerId: `reading-${route}`, maxInFlight: 40 },
      ]),
    ),
    routes: Object.fromEntries(Object.keys(RESULTS).map((route) => [route, [`reading-${route}`]])),
  })})`;
  return {
    stack,
    finish(job, ...tasks) {
      for (const task of tasks.length > 0 ? tasks : (Object.keys(RESULTS) as Route[])) gates.open(job, task);
    },
    fail(job) {
      gates.fail(job);
      gates.open(job, "text");
    },
    muteStarts: gates.muteStarts,
    async truth(job) {
      const rows = await stack.sql<{ name: string; status: string }[]>`
        select 'job' as name, status::text from podbase.jobs where id = ${job}
        union all select name, status::text from podbase.tasks where job_id = ${job}`;
      return Object.fromEntries(rows.map(({ name, status }) => [name, status]));
    },
    async shortLived(token, seconds) {
      const keys = await loadKeys(join(folder, "data"));
      return keys.sign(await keys.verify(token), seconds);
    },
    async stop() {
      gates.openAll();
      await simulator.stop();
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function probeAnswer(request: Request, script: string): Response | undefined {
  const { pathname } = new URL(request.url);
  if (pathname === PROBE_PATH)
    return new Response('<!doctype html><script type="module" src="/probe.js"></script>', {
      headers: { "content-type": "text/html" },
    });
  if (pathname !== "/probe.js") return undefined;
  return new Response(script, { headers: { "content-type": "text/javascript" } });
}

async function buildProbe(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      rolldownOptions: { checks: { bundlerTimings: false } },
      lib: { entry: join(ROOT, "test/e2e/watching-probe.ts"), formats: ["es"] },
    },
  });
  const [output] = Array.isArray(built) ? built : [];
  const chunk = output?.output[0];
  if (chunk?.type !== "chunk") throw new Error("the probe was not built");
  return chunk.code;
}

/** Work that tells of its half, then waits for its gate. */
const handlerOf =
  (route: Route, gates: ReturnType<typeof createGates>): Handler =>
  async (job) => {
    const { podbase } = job.input as { podbase: { job: string; task: string } };
    await gates.mayStart();
    return runHandler(
      job,
      async (_input, { progress, upload }) => {
        await progress(0.5);
        await gates.passed(podbase.job, podbase.task);
        if (gates.fails(podbase.job)) throw new Error("invalid input: the stars are silent about this");
        const { artifact, bytes, output } = RESULTS[route];
        await upload(artifact, new Uint8Array(Buffer.from(bytes)));
        return output;
      },
      { log: () => {} },
    );
  };

function createGates() {
  const open = new Set<string>();
  const failing = new Set<string>();
  const waiting = new Map<string, () => void>();
  const muted: (() => void)[] = [];
  let mute = false;
  let all = false;
  const muteStarts = (value: boolean) => {
    mute = value;
    if (!mute) for (const start of muted.splice(0)) start();
  };
  return {
    mayStart: () =>
      new Promise<void>((resolve) => {
        if (mute) muted.push(resolve);
        else resolve();
      }),
    muteStarts,
    fail: (job: string) => void failing.add(job),
    fails: (job: string) => failing.has(job),
    passed: (job: string, task: string) =>
      new Promise<void>((resolve) => {
        if (all || open.has(`${job}/${task}`)) resolve();
        else waiting.set(`${job}/${task}`, resolve);
      }),
    open(job: string, task: string) {
      open.add(`${job}/${task}`);
      waiting.get(`${job}/${task}`)?.();
    },
    openAll() {
      all = true;
      muteStarts(false);
      for (const resolve of waiting.values()) resolve();
    },
  };
}

/** Three seconds of a tone that swells and fades: WAVE, 8 kHz, 16 bit, mono. */
function wave(): Buffer {
  const samples = Int16Array.from({ length: 24_000 }, (_, at) => {
    const loud = Math.abs(Math.sin(at / 2600) * Math.cos(at / 900));
    return Math.round(9000 * loud * Math.sin(at / 4));
  });
  const data = Buffer.from(samples.buffer);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
