import { createPodbase, type Podbase, patientFetch } from "@podbase/client";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createContext, useContext } from "react";
import type { Jobs } from "./reading-job.ts";

/** The connection to the Supabase stack and the jobs on it. */
export interface Stack {
  supabase: SupabaseClient;
  podbase: Podbase<Jobs>;
}

/** On a connection that died unheard there would never be an answer. */
const PATIENCE_MS = 5_000;

let connected: Promise<Stack> | undefined;

/**
 * Connects to the stack that `/podbase.json` names. The session lives in localStorage (supabase-js's default), so
 * it outlives a reload. Every call gives the same stack: two clients would race for one session. Rejects if the file
 * can't be read or isn't one; the next call tries again.
 */
export function connectStack(): Promise<Stack> {
  connected ??= connect().catch((error: unknown) => {
    connected = undefined;
    throw error;
  });
  return connected;
}

async function connect(): Promise<Stack> {
  const response = await fetch("/podbase.json", { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`/podbase.json answered ${response.status}`);
  const { url, publishableKey } = (await response.json()) as { url?: unknown; publishableKey?: unknown };
  if (typeof url !== "string" || typeof publishableKey !== "string") {
    throw new Error("/podbase.json must hold url and publishableKey");
  }
  const supabase = createClient(url, publishableKey, { global: { fetch: patientFetch() } });
  return { supabase, podbase: createPodbase<Jobs>(supabase) };
}

const StackContext = createContext<Stack | undefined>(undefined);

/** Gives the stack to everything below it. */
export const StackProvider = StackContext.Provider;

/** The stack; only below a `StackProvider`. */
export function useStack(): Stack {
  const stack = useContext(StackContext);
  if (!stack) throw new Error("useStack needs a StackProvider above it");
  return stack;
}
