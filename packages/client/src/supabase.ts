import type { SupabaseClient } from "@supabase/supabase-js";

/** A Supabase client with any generated `Database` type: only schema `podbase` is used, which it need not describe. */
// biome-ignore lint/suspicious/noExplicitAny: any is what makes every parametrization of SupabaseClient assignable.
export type AnySupabaseClient = SupabaseClient<any, any, any, any, any>;
