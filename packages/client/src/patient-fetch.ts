import { browserLifecycle, type Lifecycle } from "./lifecycle.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import { patience, pause } from "./soon.ts";

/** At most this long after Auth is back, a token is renewed. */
const PAUSE_MS = 1_000;
/** A try without an answer for this long, or from before a sleep, is on a dead connection: auth-js would wait for it. */
const TRY_MS = 8_000;
/** How long a renewal is tried before its failure is told; auth-js tries it again after that. */
const PATIENCE_MS = 25_000;

/** What {@link patientFetch} works with; everything has a default. */
export interface PatientFetchOptions {
  fetch?: typeof globalThis.fetch;
  /** How it learns that the app is awake or online again, which is worth a try; the page's own events if not given. */
  lifecycle?: Lifecycle;
  runtime?: Runtime;
}

/**
 * A `fetch` for supabase-js that renews tokens soon after Auth can be reached again. By itself auth-js pauses up to 12.8 s
 * between two tries (supabase/auth-js, `_refreshAccessToken`), in which everything that needs the token waits, even if the
 * network has long been back; this one tries each second, and at once when the app wakes. All other requests pass through.
 *
 * @example
 * const supabase = createClient(url, key, { global: { fetch: patientFetch() } });
 */
export const patientFetch = ({
  fetch = (...request) => globalThis.fetch(...request),
  lifecycle = browserLifecycle,
  runtime = systemRuntime,
}: PatientFetchOptions = {}): typeof globalThis.fetch => {
  const ports = { runtime, lifecycle };

  const tryOnce = async (input: string | URL, init: RequestInit | undefined): Promise<Response> => {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const end = patience(ports, TRY_MS, abort);
    init?.signal?.addEventListener("abort", abort);
    try {
      return await fetch(input, { ...init, signal: controller.signal });
    } finally {
      end();
      init?.signal?.removeEventListener("abort", abort);
    }
  };

  return async (input, init) => {
    if (!isRenewal(input)) return fetch(input, init);
    const until = runtime.now() + PATIENCE_MS;
    for (;;) {
      const last = runtime.now() + PAUSE_MS > until;
      try {
        const response = await tryOnce(input, init);
        if (last || !isAway(response)) return response;
      } catch (error) {
        if (last || init?.signal?.aborted) throw error;
      }
      // Not all at the same moment, when Auth is back for everybody.
      await pause(ports, PAUSE_MS * (0.5 + runtime.random() / 2));
    }
  };
};

// auth-js passes addresses as text, so a Request with a body that can be sent only once is somebody else's.
const isRenewal = (input: unknown): input is string | URL => {
  if (typeof input !== "string" && !(input instanceof URL)) return false;
  const { pathname, searchParams } = new URL(input);
  return pathname.endsWith("/auth/v1/token") && searchParams.get("grant_type") === "refresh_token";
};

/** Answers of gateways that could not reach Auth; auth-js repeats them too (lib/fetch.ts). */
const isAway = ({ status }: Response): boolean =>
  (status >= 502 && status <= 504) || (status >= 520 && status <= 530);
