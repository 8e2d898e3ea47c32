import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as it came in; `body` is parsed for POST, raw for PUT. */
export type Seen = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  at: number;
};
/** An answer; `reset` cuts the connection instead. */
export type Reply = { status: number; json?: unknown } | "reset";

/**
 * Podbase's callback and Storage on one free loopback port. `replies` holds the next answers by "METHOD path"; the
 * last one of a list stays. Without an entry, start and progress say proceed and uploads are taken.
 */
export class FakePodbase {
  readonly seen: Seen[] = [];
  readonly replies = new Map<string, Reply[]>();
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<FakePodbase> {
    const server = createServer();
    const fake = new FakePodbase(server);
    server.on("request", async (request, response) => {
      const raw = await buffer(request);
      const { method = "", url: path = "", headers } = request;
      const body = method === "POST" ? JSON.parse(raw.toString()) : raw;
      fake.seen.push({
        method,
        path,
        headers: headers as Record<string, string>,
        body,
        at: performance.now(),
      });
      const queue = fake.replies.get(`${method} ${path}`) ?? [];
      const reply = (queue.length > 1 ? queue.shift() : queue[0]) ?? { status: 200, json: { proceed: true } };
      if (reply === "reset") return void response.destroy();
      response
        .writeHead(reply.status, { "content-type": "application/json" })
        .end(JSON.stringify(reply.json ?? {}));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  slot(name: string, contentType: string, version = "first") {
    return { url: `${this.origin}/storage/${name}?token=${version}`, path: `u/j/t/a/${name}`, contentType };
  }

  job(input: Record<string, unknown>, artifact: string, contentType: string): Record<string, unknown> {
    return {
      id: "runpod-1",
      createdAt: "2026-11-22T09:30:00.000Z",
      input: {
        ...input,
        podbase: {
          job: "j",
          task: "t",
          attempt: "a",
          callback: `${this.origin}/callback`,
          token: "secret-token",
          uploads: { [artifact]: this.slot(artifact, contentType) },
        },
      },
    };
  }

  /** The requests to one "METHOD path", in order. */
  to(call: string): Seen[] {
    return this.seen.filter((seen) => `${seen.method} ${seen.path}` === call);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
