import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A TCP port on 127.0.0.1 that is free now: `preferred` if it is, else one the system picks. Another process may take
 * it before the caller does, so callers that hand it to a child must be ready to ask again.
 */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  server.listen(preferred, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (preferred !== 0 && (code === "EADDRINUSE" || code === "EACCES")) return freePort();
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the probe socket has no port");
  return address.port;
}
