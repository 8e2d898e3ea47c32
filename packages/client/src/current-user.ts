import type { AnySupabaseClient } from "./supabase.ts";

/** Where auth-js keeps the session, and under which name (supabase/auth-js, GoTrueClient). */
interface Keeper {
  storage?: { getItem(key: string): string | null | Promise<string | null> };
  storageKey?: string;
}

/**
 * Who is signed in; null if nobody is, or if the app brings its own tokens (supabase-js then throws at any use of `auth`).
 *
 * Looks at what auth-js has stored before it asks auth-js, which first renews a token that is out of date by this device's
 * clock: offline that takes half a minute and ends without a session, and by a clock that is hours ahead it is always due.
 */
export const currentUser = async (supabase: AnySupabaseClient): Promise<string | null> => {
  try {
    return (await storedUser(supabase)) ?? (await supabase.auth.getSession()).data.session?.user.id ?? null;
  } catch {
    return null;
  }
};

const storedUser = async ({ auth }: AnySupabaseClient): Promise<string | null> => {
  try {
    const { storage, storageKey } = auth as unknown as Keeper;
    const stored = storageKey && (await storage?.getItem(storageKey));
    return (stored && JSON.parse(stored)?.user?.id) || null;
  } catch {
    // Not kept as it used to be: auth-js has to be asked.
    return null;
  }
};
