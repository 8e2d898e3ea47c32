/** A request that is passed on, and whether its body had to be cut off. */
export interface LimitedRequest {
  request: Request;
  exceeded(): boolean;
}

/**
 * The same request with a body that breaks off past `maxBytes`. A length that is declared is believed, because the HTTP
 * server keeps its sender to it; a chunked body is counted as it flows.
 */
export function limitBody(request: Request, maxBytes: number): LimitedRequest {
  if (request.body === null || request.headers.has("content-length")) {
    const declared = Number(request.headers.get("content-length") ?? 0);
    return { request, exceeded: () => declared > maxBytes };
  }
  let seen = 0;
  const counted = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        seen += chunk.byteLength;
        if (seen > maxBytes) controller.error(new Error(`the body has more than ${maxBytes} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { url, method, headers, signal } = request;
  return {
    // From its parts: @hono/node-server's request is not one that the constructor can copy.
    request: new Request(url, { method, headers, signal, body: counted, duplex: "half" } as RequestInit),
    exceeded: () => seen > maxBytes,
  };
}
