import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";

type FetchCallback = Parameters<typeof createAdaptorServer>[0]["fetch"];

/** A listening server. */
export interface Listening {
  port: number;
  /** Stops listening and cuts every open connection. */
  close(): Promise<void>;
}

/** Serves on loopback; port 0 takes a free one. Rejects when the port is taken. */
export const listen = (fetch: FetchCallback, port: number): Promise<Listening> => {
  // The simulator is a guest in other processes: their global Request and Response stay as they are.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
};
