import type { Session, SupabaseClient } from "@supabase/supabase-js";
import { useEffect, useState } from "react";

/** Who is signed in: undefined until known, null for nobody. Follows sign-ins and sign-outs, in other tabs too. */
export function useSession(supabase: SupabaseClient): Session | null | undefined {
  const [session, setSession] = useState<Session | null>();
  useEffect(() => {
    // Tells the current session first, then every change.
    const { data } = supabase.auth.onAuthStateChange((_event, changed) => setSession(changed));
    return () => data.subscription.unsubscribe();
  }, [supabase]);
  return session;
}
