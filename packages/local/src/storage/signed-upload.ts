import { requireCaller, SERVICE } from "./caller.ts";
import type { StorageContext } from "./storage-context.ts";
import { uploadObject } from "./upload-object.ts";
import { signUrlToken, verifyUrlToken } from "./url-token.ts";
import { checkWrite } from "./write-object.ts";

/** Two hours, as on a hosted project, where it can't be chosen either. */
const LIFETIME_S = 7200;

/** POST: a URL to upload one object, which the caller must be allowed to write now. `x-upsert` decides for good. */
export async function signUpload(
  storage: StorageContext,
  request: Request,
  bucketId: string,
  name: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const upsert = request.headers.get("x-upsert") === "true";
  const owner = claims.sub;
  const operation = "storage.object.sign_upload_url";
  await checkWrite(storage, { claims, operation, bucketId, name, owner, upsert, userMetadata: null }, {});
  const url = `${bucketId}/${name}`;
  const token = await signUrlToken(
    storage,
    { use: "storage-upload", url, upsert, ...(owner !== undefined && { owner }) },
    LIFETIME_S,
  );
  return Response.json({ url: `/object/upload/sign/${url}?token=${token}`, token });
}

/** PUT with a token: needs no other credentials. The service writes, for the owner who minted the URL. */
export async function uploadSigned(
  storage: StorageContext,
  request: Request,
  bucketId: string,
  name: string,
): Promise<Response> {
  const token = await verifyUrlToken(storage, request, "storage-upload", `${bucketId}/${name}`);
  const { key } = await uploadObject(
    storage,
    {
      claims: SERVICE,
      operation: "storage.object.upload_signed",
      bucketId,
      name,
      owner: token.owner,
      upsert: token.upsert === true,
    },
    request,
  );
  return Response.json({ Key: key });
}
