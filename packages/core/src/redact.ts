/**
 * Attempt tokens, which are 64 hex digits, and JWTs, which upload URLs carry; also ones that were cut off, as long as
 * what is left helps anybody guess the rest.
 */
const SECRETS = /[\da-f]{48,}|eyJ[\w-]{20,}(?:\.[\w-]*)*/g;

/** Text without the secrets of an attempt: workers and RunPod like to quote their input in what they say of an error. */
export const withoutSecrets = (text: string): string => text.replace(SECRETS, "[redacted]");
