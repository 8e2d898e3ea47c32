export * from "./environment.ts";
export type { WaitUntil } from "./http.ts";
export * from "./reconcile.ts";
export * from "./request-job.ts";
export * from "./runpod-webhook.ts";
export * from "./serve.ts";
export * from "./supabase.ts";
