/** Runs in a browser: the client without a page, for what no page shows, such as 200 jobs at once. */
import { createPodbase, type Podbase } from "@podbase/client";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";

/** What a probe page has as `window.probe`. */
export interface Probe {
  supabase: SupabaseClient;
  podbase: Podbase;
}

const { url, publishableKey } = await (await fetch("/podbase.json")).json();
const supabase = createClient(url, publishableKey);
Object.assign(window, { probe: { supabase, podbase: createPodbase(supabase) } satisfies Probe });
