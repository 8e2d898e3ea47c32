import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What `POST /v1/projects/{ref}/functions/deploy` was given for one function. */
export interface UploadedFunction {
  slug: string;
  metadata: { name: string; entrypoint_path: string; import_map_path?: string; verify_jwt?: boolean };
  /** Text of each file by its path from the project's folder. */
  files: Map<string, string>;
}

/**
 * As much of the management API (https://supabase.com/docs/reference/api) as the Supabase CLI needs to deploy functions
 * and to set secrets. It keeps what it is sent and checks nothing but the token.
 */
export interface ManagementApi {
  url: string;
  /** By slug. */
  functions: Map<string, UploadedFunction>;
  secrets: Map<string, string>;
  close(): Promise<void>;
}

/** What a hosted project would do with what it is sent; the CLI gets its answer after that. */
export interface ManagedProject {
  deploy?: (uploaded: UploadedFunction) => Promise<void>;
  setSecrets?: (secrets: Map<string, string>) => Promise<void>;
  exposeSchemas?: (schemas: string) => void;
}

/** Starts it on a free loopback port for callers with `token`. */
export async function startManagementApi(
  token: string,
  project: ManagedProject = {},
): Promise<ManagementApi> {
  const functions = new Map<string, UploadedFunction>();
  const secrets = new Map<string, string>();

  const answer = async (request: Request): Promise<Response> => {
    if (request.headers.get("authorization") !== `Bearer ${token}`) {
      return Response.json({ message: "Unauthorized" }, { status: 401 });
    }
    const { pathname, searchParams } = new URL(request.url);
    const operation = `${request.method} ${pathname.replace(/^\/v1\/projects\/[a-z]{20}/, "")}`;
    switch (operation) {
      case "GET /functions":
        return Response.json([...functions.values()].map(record));
      case "POST /functions/deploy": {
        const uploaded = await readUpload(searchParams.get("slug") ?? "", await request.formData());
        functions.set(uploaded.slug, uploaded);
        await project.deploy?.(uploaded);
        return Response.json(record(uploaded), { status: 201 });
      }
      case "PUT /functions":
        return Response.json({ functions: [...functions.values()].map(record) });
      case "GET /secrets":
        return Response.json([...secrets].map(([name, value]) => ({ name, value })));
      case "POST /secrets":
        for (const { name, value } of (await request.json()) as { name: string; value: string }[]) {
          secrets.set(name, value);
        }
        await project.setSecrets?.(secrets);
        return new Response(null, { status: 201 });
      case "DELETE /secrets":
        for (const name of (await request.json()) as string[]) secrets.delete(name);
        return Response.json({});
      case "PATCH /postgrest": {
        const { db_schema: schemas } = (await request.json()) as { db_schema: string };
        project.exposeSchemas?.(schemas);
        return Response.json({ db_schema: schemas });
      }
      default: {
        const deleted = /^DELETE \/functions\/([\w-]+)$/.exec(operation)?.[1];
        if (deleted && functions.delete(deleted)) return Response.json({});
      }
    }
    return Response.json({ message: "Not Found" }, { status: 404 });
  };

  const server = createServer(async (incoming, outgoing) => {
    const { method = "GET", headers, url = "/" } = incoming;
    const body = method === "GET" ? undefined : new Uint8Array(await buffer(incoming));
    const request = new Request(`http://127.0.0.1${url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(body === undefined ? {} : { body }),
    });
    const response = await answer(request).catch((error) => new Response(String(error), { status: 500 }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functions,
    secrets,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readUpload(slug: string, form: FormData): Promise<UploadedFunction> {
  const files = new Map<string, string>();
  for (const part of form.getAll("file")) {
    if (typeof part === "string") throw new Error("a file came as text");
    files.set(part.name, await part.text());
  }
  return { slug, metadata: JSON.parse(String(form.get("metadata"))), files };
}

const record = ({ slug, metadata }: UploadedFunction) => ({
  id: slug,
  slug,
  name: metadata.name,
  version: 1,
  status: "ACTIVE",
  verify_jwt: metadata.verify_jwt ?? true,
  entrypoint_path: metadata.entrypoint_path,
  import_map_path: metadata.import_map_path,
  created_at: 0,
  updated_at: 0,
});
