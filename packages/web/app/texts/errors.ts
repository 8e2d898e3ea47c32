/** The part of an error that texts are made of; supabase-js and Podbase errors both have it. */
export interface Told {
  code?: string | undefined;
  message: string;
}

const accountTexts: Record<string, string> = {
  invalid_credentials: "Email and password don't match. Is this the address you signed up with?",
  user_already_exists: "There is an account with this email already. Try signing in.",
  email_exists: "There is an account with this email already. Try signing in.",
  email_not_confirmed: "Please open the link in the mail we sent you first, then sign in.",
  email_address_invalid: "That email address doesn't work. Please check it for typos.",
  anonymous_provider_disabled: "Trying without an account is switched off here. Please sign up instead.",
  signup_disabled: "New accounts are switched off here.",
  over_request_rate_limit: "Too many tries in a short time. Please wait a minute and try again.",
  over_email_send_rate_limit: "Too many mails in a short time. Please wait a few minutes and try again.",
};

const signedOut = "You have been signed out. Please sign in again; what you typed stays here.";
const unreachable = "The server can't be reached right now. Please check your connection and try again.";

const requestTexts: Record<string, string> = {
  invalid_input: "Please have another look at the marked fields.",
  unauthorized: signedOut,
  signed_out: signedOut,
  job_not_found: "This reading isn't among yours. Perhaps it was asked for under another account.",
  not_retryable: "This reading is under way again, or done, so there is nothing to try again.",
  unknown_job_kind: "Readings aren't offered by this stack. Its functions may be from another version.",
  idempotency_conflict: "You asked for a reading just now with other answers. Please press the button again.",
  payload_too_large: "That is more text than a reading can take. Please shorten your question.",
  rate_limited: "Too many readings in a short time. Please wait a minute and try again.",
  quota_exceeded: "You have many readings under way. One more can start when one of them is done.",
  network: unreachable,
  server_error: "The server stumbled. Please try again in a moment; nothing you typed is lost.",
  not_installed:
    "This stack has no Podbase on it yet. Its migrations and functions may still be on their way.",
};

const machineGone = "The machine that worked on it went away, and its work could not be found.";

const failureTexts: Record<string, string> = {
  bad_input: "The machines couldn't work with these answers. Other words may help.",
  execution_timeout: "It took longer than a reading may take, so it was stopped.",
  out_of_memory: "The machine ran out of memory, more than once.",
  platform_loss: machineGone,
  lost: machineGone,
  lost_unconfirmed: machineGone,
  canceled_remotely: "Somebody stopped it at the machine.",
};

/** Why signing in or up did not work, in a person's words. */
export function accountErrorText(error: Told): string {
  // Only the server knows its rules for passwords, and it tells them well.
  if (error.code === "weak_password") return error.message;
  return accountTexts[error.code ?? ""] ?? unreachableText(error) ?? `That didn't work: ${error.message}`;
}

/** Why a reading could not be asked for, changed or fetched, in a person's words. */
export function requestErrorText(error: Told): string {
  return requestTexts[error.code ?? ""] ?? `That didn't work: ${error.message}`;
}

/** Why a job or task failed for good, in a person's words; the machine's own words are told beside it. */
export function failureText(error: Told | null): string {
  return (
    failureTexts[error?.code ?? ""] ?? "Something broke on the way, and trying again by itself didn't help."
  );
}

/** Browsers tell a failed call only by its message, each with another one. */
function unreachableText(error: Told): string | undefined {
  return /failed to fetch|load failed|networkerror|fetch failed/i.test(error.message)
    ? unreachable
    : undefined;
}
