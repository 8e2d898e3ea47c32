/**
 * The Content-Security-Policy of the page: code and styles from its own origin only, calls to its own origin and
 * the stack (HTTP and WebSocket), pictures, sound and PDF from there or from memory (`blob:`, `data:`), no framing by others.
 *
 * @param stackUrl base URL of the Supabase stack
 */
export function contentSecurityPolicy(stackUrl: string): string {
  const stack = new URL(stackUrl);
  const socket = `${stack.protocol === "https:" ? "wss:" : "ws:"}//${stack.host}`;
  const policy: Record<string, string> = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": `'self' data: blob: ${stack.origin}`,
    "connect-src": `'self' ${stack.origin} ${socket}`,
    "media-src": `'self' blob: data: ${stack.origin}`,
    "frame-src": `'self' blob: data: ${stack.origin}`,
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join("; ");
}
