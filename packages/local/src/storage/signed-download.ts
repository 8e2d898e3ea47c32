import { z } from "zod";
import { asCaller, requireCaller, SERVICE } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { findObject } from "./objects.ts";
import { serveObject } from "./serve-object.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchKey, notServed } from "./storage-error.ts";
import { signUrlToken, verifyUrlToken } from "./url-token.ts";

const MAX_PATHS = 1000;
const expiresIn = z.int().min(1);
const signOneBody = z.object({ expiresIn, transform: z.unknown().optional() });
const signManyBody = z.object({ expiresIn, paths: z.array(z.string()).min(1).max(MAX_PATHS) });

/** POST: a URL to read one object, which the caller must be allowed to read now. */
export async function signDownload(
  storage: StorageContext,
  request: Request,
  bucketId: string,
  name: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const body = await readJson(request, signOneBody);
  if (body.transform) throw notServed("Image transformation");
  if (!(await findObject(storage, claims, "storage.object.sign", bucketId, name))) throw noSuchKey();
  return Response.json({ signedURL: await signedUrl(storage, `${bucketId}/${name}`, body.expiresIn) });
}

/** POST: URLs to read several objects; those that the caller may not read say so one by one. */
export async function signDownloads(
  storage: StorageContext,
  request: Request,
  bucketId: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const { paths, expiresIn } = await readJson(request, signManyBody);
  const rows = await asCaller(
    storage,
    claims,
    "storage.object.sign_many",
    (tx) => tx<{ name: string }[]>`
      select name from storage.objects where bucket_id = ${bucketId} and name = any(${paths})`,
  );
  const readable = new Set(rows.map(({ name }) => name));
  const sign = async (path: string) =>
    readable.has(path)
      ? { error: null, path, signedURL: await signedUrl(storage, `${bucketId}/${path}`, expiresIn) }
      : { error: "Either the object does not exist or you do not have access to it", path, signedURL: null };
  return Response.json(await Promise.all(paths.map(sign)));
}

/** GET or HEAD with a token: needs no other credentials. */
export async function readSigned(
  storage: StorageContext,
  request: Request,
  bucketId: string,
  name: string,
): Promise<Response> {
  const token = await verifyUrlToken(storage, request, "storage-download", `${bucketId}/${name}`);
  return serveObject(
    storage,
    request,
    () => findObject(storage, SERVICE, "storage.object.get_signed", bucketId, name),
    { expires: new Date(token.exp * 1000) },
  );
}

async function signedUrl(storage: StorageContext, url: string, lifetimeS: number): Promise<string> {
  const token = await signUrlToken(storage, { use: "storage-download", url }, lifetimeS);
  return `/object/sign/${url}?token=${token}`;
}
