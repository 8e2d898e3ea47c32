import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { Busboy, type BusboyFileStream } from "@fastify/busboy";
import { invalidRequest, notServed } from "./storage-error.ts";

/** A file on its way in: what was said of it, and its bytes, which nobody has read yet. */
export interface Upload {
  body: Readable;
  mimetype: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | null;
  /** Length of the request, which is the file's unless it comes in a form; undefined when chunked. */
  declaredLength: number | undefined;
}

const MAX_METADATA_BYTES = 1 << 20;

/**
 * The file of an upload: the body as it is, or the first file of a multipart form with the fields before it.
 * Throws StorageError `InvalidRequest`.
 */
export function readUpload(request: Request): Promise<Upload> {
  if (request.headers.has("content-encoding")) throw notServed("An upload with a content-encoding");
  const body = request.body ? Readable.fromWeb(request.body as ReadableStream) : Readable.from([]);
  const type = request.headers.get("content-type") ?? "application/octet-stream";
  return type.startsWith("multipart/form-data")
    ? readForm(request, body, type)
    : Promise.resolve(readRaw(request, body, type));
}

/** Reads what is left of a refused upload, so that its sender gets the answer instead of a reset. */
export async function drain({ body }: Upload): Promise<void> {
  // A sender who hangs up meanwhile wants no answer.
  await finished(body.resume()).catch(() => {});
}

/** The bytes of `source`; what breaks it off becomes StorageError `InvalidRequest`, the sender's and not the disk's. */
function guarded(source: Readable): Readable {
  // Until someone reads, too, an error must find a listener, and must end the stream: the form parser only emits it.
  source.on("error", (error) => source.destroy(error));
  const bytes = async function* () {
    try {
      yield* source;
    } catch (error) {
      throw invalidRequest((error as Error).message);
    }
  };
  return Readable.from(bytes(), { objectMode: false });
}

const declaredLength = (request: Request): number | undefined => {
  const value = request.headers.get("content-length");
  return value === null ? undefined : Number(value);
};

function readRaw(request: Request, body: Readable, type: string): Upload {
  const metadata = request.headers.get("x-metadata");
  return {
    body: guarded(body),
    mimetype: type,
    cacheControl: request.headers.get("cache-control") ?? "no-cache",
    userMetadata: metadata === null ? null : parseMetadata(Buffer.from(metadata, "base64").toString("utf8")),
    declaredLength: declaredLength(request),
  };
}

function readForm(request: Request, body: Readable, type: string): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string>();
    let file: BusboyFileStream | undefined;
    const parser = new Busboy({
      headers: { "content-type": type },
      limits: { files: 1, fields: 10, fieldSize: MAX_METADATA_BYTES },
    });
    parser.on("field", (name, value) => fields.set(name, value));
    parser.on("file", (_name, stream, _filename, _encoding, mimetype) => {
      file = stream;
      const metadata = fields.get("metadata") ?? fields.get("userMetadata");
      const cacheTime = fields.get("cacheControl");
      try {
        if (fields.has("contentEncoding")) throw notServed("An upload with a content-encoding");
        resolve({
          body: guarded(stream),
          mimetype: fields.get("contentType") ?? mimetype,
          cacheControl: cacheTime ? `max-age=${cacheTime}` : "no-cache",
          userMetadata: metadata === undefined ? null : parseMetadata(metadata),
          declaredLength: declaredLength(request),
        });
      } catch (error) {
        stream.resume();
        reject(error);
      }
    });
    // Some errors come after the one that ended the pipeline.
    parser.on("error", () => {});
    pipeline(body, parser).then(
      () => reject(invalidRequest("No content provided")),
      (error: Error) => {
        file?.destroy(error);
        reject(invalidRequest(error.message));
      },
    );
  });
}

/** Custom metadata of an object. The hosted API drops what is not JSON; here it is refused. */
function parseMetadata(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Refused below, as any other value that is no object.
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalidRequest("The metadata is not a JSON object");
}
