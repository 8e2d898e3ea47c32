import type { AnySupabaseClient } from "./supabase.ts";

/**
 * Who is signed in; null if nobody is, if that can't be told offline, or if the app brings its own tokens (supabase-js
 * then throws at any use of `auth`).
 */
export const currentUser = async (supabase: AnySupabaseClient): Promise<string | null> => {
  try {
    const { data } = await supabase.auth.getSession();
    return data.session?.user.id ?? null;
  } catch {
    return null;
  }
};
