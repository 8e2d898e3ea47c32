/** A request with more bytes than its service takes. */
export class BodyTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`the body may have at most ${maxBytes} bytes`);
    this.name = "BodyTooLargeError";
  }
}

/** The same request, whose body fails with BodyTooLargeError past `maxBytes`; throws at once when its length says so. */
export function limitBody(request: Request, maxBytes: number): Request {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  // A declared length is kept by the HTTP server; only a chunked body can be longer than it says.
  if (request.body === null || request.headers.has("content-length")) return request;
  let seen = 0;
  const counted = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        seen += chunk.byteLength;
        if (seen > maxBytes) controller.error(new BodyTooLargeError(maxBytes));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Request(request, { body: counted, duplex: "half" } as RequestInit);
}
