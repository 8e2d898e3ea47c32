import type { StackContext } from "../context.ts";

/** The stack, and the options of the Auth service. */
export interface AuthContext extends StackContext {
  /** How long an access token is valid, in seconds. */
  accessTokenLifetimeS: number;
}
