import type { SupabaseClient } from "@supabase/supabase-js";
import { backoff, type Runtime } from "./runtime.ts";

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** Tokens live for an hour, as a rule; two within this are one too many. */
const RESTLESS_MS = 60_000;

/** What a {@link Session} needs, and whom it tells. */
export interface SessionPorts {
  supabase: Pick<SupabaseClient, "auth">;
  runtime: Runtime;
  /** Who is signed in, null for nobody: at the start, and at each auth event (the same user may come repeatedly). */
  onUser(userId: string | null): void;
  /** The session has a new token. */
  onRenewed(): void;
  /** Told why it could not be learnt who is signed in; it is tried again. */
  onProblem(error: unknown): void;
}

/** Follows who is signed in. */
export interface Session {
  start(): void;
  stop(): void;
  /** If it is still unknown who is signed in, ask now instead of after the back-off. */
  hurry(): void;
  /** Whether each look at the session renews its token, as by a clock that is hours ahead. */
  isRestless(): boolean;
  /** The server did not accept the token: ask for a new one. The clock that told its age may be wrong. */
  renew(): void;
}

/** Follows the session of a client that manages its own (not one made with the `accessToken` option). */
export const createSession = ({ supabase, runtime, onUser, onRenewed, onProblem }: SessionPorts): Session => {
  /** Ends what `start` began; its identity tells one start from the next. */
  let unsubscribe: (() => void) | null = null;
  let known = false;
  let failures = 0;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let restless = false;
  let cancelRetry = () => {};

  const learn = async (): Promise<void> => {
    const mine = unsubscribe;
    cancelRetry();
    const { data, error } = await supabase.auth.getSession();
    if (unsubscribe !== mine || known) return;
    // A refresh that failed on the way leaves the session in storage: only a clear "no session" is a sign-out.
    if (error && !data.session) throw error;
    tell(data.session?.user.id ?? null);
  };

  const tryToLearn = (): void => {
    learn().catch((error: unknown) => {
      onProblem(error);
      if (unsubscribe && !known) {
        cancelRetry = runtime.after(
          backoff(runtime, failures++, BACKOFF_BASE_MS, BACKOFF_CAP_MS),
          tryToLearn,
        );
      }
    });
  };

  const tell = (userId: string | null): void => {
    known = true;
    failures = 0;
    cancelRetry();
    onUser(userId);
  };

  return {
    start() {
      const { data } = supabase.auth.onAuthStateChange((event, session) => {
        if (session) tell(session.user.id);
        else if (event === "SIGNED_OUT") tell(null);
        if (event !== "TOKEN_REFRESHED") return;
        restless = runtime.now() - renewedAt < RESTLESS_MS;
        renewedAt = runtime.now();
        onRenewed();
      });
      unsubscribe = () => data.subscription.unsubscribe();
      tryToLearn();
    },
    stop() {
      unsubscribe?.();
      unsubscribe = null;
      known = false;
      cancelRetry();
    },
    hurry() {
      if (unsubscribe && !known) tryToLearn();
    },
    isRestless: () => restless,
    renew() {
      supabase.auth.refreshSession().then(({ error }) => {
        // Thrown away by the browser or another tab, which auth-js does not tell.
        if (unsubscribe && error?.name === "AuthSessionMissingError") tell(null);
        else if (error) onProblem(error);
      }, onProblem);
    },
  };
};
