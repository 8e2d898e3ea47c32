import type { Session } from "@supabase/supabase-js";
import { useEffect, useState } from "react";
import { useStack } from "../stack.ts";

/** One look without an answer takes auth-js half a minute by itself. */
const PAUSE_MS = 1_000;

/**
 * Who is signed in: undefined until known, null for nobody. Follows sign-ins and sign-outs, in other tabs too. Somebody whose
 * session can't be renewed for now, as Auth is out of reach, is not nobody: that stays unknown until it can be told.
 */
export function useSession(): Session | null | undefined {
  const { supabase, podbase } = useStack();
  const [session, setSession] = useState<Session | null>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      clearTimeout(timer);
      const { data, error } = await supabase.auth.getSession();
      if (data.session || !error) setSession(data.session);
      else timer = setTimeout(look, PAUSE_MS);
    };
    // Tells first who was signed in, or nobody if that session could not be renewed; then every change.
    const { data } = supabase.auth.onAuthStateChange((event, changed) => {
      clearTimeout(timer);
      if (changed || event === "SIGNED_OUT") setSession(changed);
      else timer = setTimeout(look);
    });
    // What another tab throws away, or a browser, auth-js does not tell.
    const check = async () => {
      const { data, error } = await supabase.auth.getSession();
      if (!data.session && !error) setSession(null);
    };
    const waking = podbase.onWake(() => void check());
    window.addEventListener("storage", check);
    return () => {
      window.removeEventListener("storage", check);
      waking.unsubscribe();
      clearTimeout(timer);
      data.subscription.unsubscribe();
    };
  }, [supabase, podbase]);
  return session;
}
