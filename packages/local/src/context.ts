import type postgres from "postgres";
import type { Keys } from "./keys.ts";

/** JWT claims of a caller; `role` is the Postgres role the statement runs as. */
export interface Claims {
  role: string;
  sub?: string;
  session_id?: string;
  email?: string;
  is_anonymous?: boolean;
  exp?: number;
  [claim: string]: unknown;
}

/** What every service of the local stack is given. */
export interface StackContext {
  /** Pool as the cluster's superuser `supabase_admin`. Callers' statements go through `asClaims`. */
  sql: postgres.Sql;
  keys: Keys;
  /** Base URL of the gateway, known before any service starts: `http://127.0.0.1:54321`. */
  url: string;
  /** Folder for everything the stack keeps on disk. */
  dataDir: string;
  /** People's output; never secrets. */
  log: (message: string) => void;
}

/** One service behind the gateway: takes the whole request, prefix (`/rest/v1` …) included. */
export interface Service {
  fetch(request: Request): Promise<Response>;
  close?(): Promise<void>;
}
