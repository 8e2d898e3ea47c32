/** What the page needs to reach its stack; public by nature, served as `GET /podbase.json`. */
export interface WebConfig {
  /** Base URL of the Supabase stack, e.g. `http://127.0.0.1:54321` or `https://<ref>.supabase.co`. */
  url: string;
  /** The publishable (formerly anon) key. Never a secret key: everybody who opens the page can read it. */
  publishableKey: string;
}
