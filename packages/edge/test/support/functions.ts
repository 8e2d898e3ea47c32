import {
  type Claim,
  defineJob,
  Engine,
  type PodbaseError,
  type Report,
  RunPod,
  type SubmissionResult,
} from "@podbase/core";
import { z } from "zod";
import { reconcile, requestJob, runpodWebhook } from "../../src/index.ts";

/** Whose reports the webhook function is sent. */
export const ATTEMPT = "3f2c8a52-5c0f-4a58-9d8b-0d6f6f6f6f6f";
/** Who is signed in. */
export const USER = "11111111-1111-4111-8111-111111111111";
const note = defineJob({
  kind: "note",
  input: z.strictObject({ topic: z.string().min(1), when: z.iso.date().optional() }),
  tasks: {
    text: { route: "gpu", input: () => ({ a: 1 }), output: z.object({}), artifacts: { text: "text/plain" } },
    dear: { route: "gpu", input: () => ({ a: 1 }), output: z.object({}), confirm: true },
  },
});

/** A claim of the first task. */
export const CLAIM: Claim = {
  attempt: ATTEMPT,
  token: "t",
  number: 1,
  job: "j1",
  kind: "note",
  user: USER,
  task: "text",
  route: "gpu",
  endpoint: { name: "one", providerId: "ep", executionTimeoutMs: 60_000, ttlMs: 120_000 },
  input: {},
  upstream: {},
  artifacts: {},
};

/** The three functions over an engine whose database remembers what it was told. Reports give the claims of `options`. */
export function functions(options: { claims?: Claim[]; runpodAnswer?: Promise<void> } = {}) {
  const hints: Report[] = [];
  const submissions: SubmissionResult[] = [];
  const submitted: unknown[] = [];
  const reports: Report[] = [];
  const waiting: Promise<unknown>[] = [];
  let verdict: "applied" | "unauthorized" = "applied";
  let created = true;
  let claims = 0;
  let refusal: PodbaseError | undefined;
  const engine = new Engine({
    jobs: { note },
    database: {
      submitJob: async (request) => {
        submitted.push(request);
        return { job: { id: "j1", status: "queued" }, created, claims: [] };
      },
      submitJobs: async (requests) => {
        if (refusal) throw refusal;
        submitted.push(...requests);
        return requests.map((_, n) => ({ job: `j${n}`, created }));
      },
      claimTasks: async () => {
        claims++;
        return [];
      },
      recordSubmissions: async (results) => submissions.push(...results),
      recordReport: async (report) => {
        reports.push(report);
        return {
          verdict,
          proceed: verdict === "applied",
          claims: options.claims ?? [],
          user: USER,
          job: "j1",
          artifacts: { text: "text/plain" },
        };
      },
      claimPolls: async () => [],
      claimCancels: async () => [],
      recordCancels: async () => 0,
      claimFileDeletes: async () => [],
      recordFileDeletes: async () => 0,
      recordHint: async (report) => {
        hints.push(report);
        const endpoint = { name: "one", providerId: "ep" };
        const poll = { attempt: ATTEMPT, providerId: "x-u1", endpoint, kind: "note", task: "dear" };
        return { verdict: "unchanged", proceed: true, claims: [], poll };
      },
      claimHealth: async () => [],
      recordHealth: async () => 0,
      recordPass: async () => {},
    },
    storage: { signUpload: async (path) => `https://s/${path}`, remove: async () => {} },
    runpod: new RunPod({
      apiKey: "k",
      fetch: async () => {
        await options.runpodAnswer;
        return Response.json({ id: "x", status: "IN_QUEUE" });
      },
    }),
    webhookUrl: "https://p/functions/v1/runpod-webhook",
  });
  const waitUntil = (work: Promise<unknown>) => void waiting.push(work);
  return {
    submitted,
    reports,
    hints,
    submissions,
    waiting,
    claims: () => claims,
    again: () => {
      created = false;
    },
    refuse: (error: PodbaseError) => {
      refusal = error;
    },
    deny: () => {
      verdict = "unauthorized";
    },
    request: requestJob({
      engine,
      waitUntil,
      userOf: async (r) => (r.headers.has("authorization") ? USER : null),
    }),
    webhook: runpodWebhook({ engine, waitUntil }),
    reconcile: reconcile({
      engine,
      waitUntil,
      isTrusted: async (r) => r.headers.get("apikey") === "sb_secret",
    }),
  };
}

/** A POST as a signed-in user's. */
export const post = (path: string, body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request(`http://127.0.0.1/${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: "Bearer user", ...headers },
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  } as RequestInit);
/** The same of JSON. */
export const json = (path: string, body: unknown, headers?: Record<string, string>) =>
  post(path, JSON.stringify(body), headers);
