import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findDeno } from "../packages/local/src/functions/deno-binary.ts";
import { loadKeys } from "../packages/local/src/keys.ts";
import { startTiedChild } from "../packages/local/src/processes/tied-child.ts";
import {
  ACCESS_TOKEN,
  copyProject,
  type Ended,
  type ProjectCopy,
  ROOT,
  run,
  unpack,
} from "./hosted/deploy.ts";
import { type ManagementApi, startManagementApi } from "./hosted/management-api.ts";
import { type NpmRegistry, startNpmRegistry } from "./hosted/npm-registry.ts";

const FUNCTIONS = (await readdir(join(ROOT, "supabase/functions"), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"))
  .map((entry) => entry.name)
  .sort();
/** Where nobody gets in without a token. */
const PATHS: Record<string, string> = {
  "runpod-webhook": "/runpod-webhook/reading/text/00000000-0000-4000-8000-000000000000",
};
/** What RunPod sends; for the others it is as good as any. */
const WEBHOOK = JSON.stringify({ id: "a job of somebody", status: "COMPLETED", output: {} });

/** The real Supabase CLI deploys to a stand-in of the management API; Deno then has what arrived there, and no more. */
describe("supabase functions deploy --use-api", () => {
  let api: ManagementApi;
  let registry: NpmRegistry;
  let project: ProjectCopy;
  let deployed: Ended;
  /** Deno's cache and home, empty at first. */
  let home: string;
  beforeAll(async () => {
    api = await startManagementApi(ACCESS_TOKEN);
    registry = await startNpmRegistry(ROOT);
    project = await copyProject();
    home = await mkdtemp(join(tmpdir(), "podbase-deno-"));
    deployed = await project.supabase(api, "functions", "deploy", "--use-api");
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
    await api.close();
    await rm(home, { recursive: true, force: true });
  });

  const denoEnv = () => ({
    PATH: process.env.PATH ?? "",
    HOME: home,
    DENO_DIR: home,
    DENO_NO_UPDATE_CHECK: "1",
    NPM_CONFIG_REGISTRY: registry.url,
    NO_COLOR: "1",
  });

  test("uploads every function without a warning", () => {
    expect(deployed.code, deployed.output).toBe(0);
    expect(deployed.output).not.toMatch(/WARN|failed to read|Skipping/);
    expect([...api.functions.keys()].sort()).toEqual(FUNCTIONS);
  });

  test("leaves the check of the caller to each function", () => {
    for (const { metadata } of api.functions.values()) expect(metadata.verify_jwt).toBe(false);
  });

  test("uploads code and deno.json only", () => {
    for (const { slug, files } of api.functions.values()) {
      const others = [...files.keys()].filter(
        (path) => !/^(packages\/(core|edge)\/src|supabase)\/.*\.ts$/.test(path),
      );
      expect(others).toEqual([`supabase/functions/${slug}/deno.json`]);
    }
  });

  test.each(FUNCTIONS)(
    "%s type-checks and answers from its uploaded files alone",
    async (name) => {
      const upload = api.functions.get(name);
      if (!upload?.metadata.import_map_path) throw new Error(`${name} was not uploaded with its deno.json`);
      const folder = await unpack(upload);
      const { entrypoint_path: entrypoint, import_map_path: config } = upload.metadata;
      const flags = ["--no-lock", "--config", config];
      try {
        const check = await run(findDeno(), ["check", ...flags, entrypoint], { cwd: folder, env: denoEnv() });
        expect(check.code, check.output).toBe(0);

        const server = await startTiedChild({
          command: findDeno(),
          args: ["serve", ...flags, "--host=127.0.0.1", "--port=0", "--allow-net", "--allow-env", entrypoint],
          env: { ...denoEnv(), ...(await hostedEnv(home)) },
          cwd: folder,
          orphanSignal: "KILL",
        });
        try {
          const url = `${await listening(server.process.stderr)}${PATHS[name] ?? `/${name}`}`;
          const headers = { "content-type": "application/json" };
          const response = await fetch(url, { method: "POST", headers, body: WEBHOOK });
          expect(await response.json()).toEqual({
            error: { code: "unauthorized", message: expect.any(String) },
          });
          expect(response.status).toBe(401);
        } finally {
          await server.stop("SIGTERM", 1000);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

  test("a file that is not uploaded is missed", async () => {
    const upload = api.functions.get("reconcile");
    if (!upload) throw new Error("reconcile was not uploaded");
    const files = new Map(upload.files);
    files.delete("packages/core/src/errors.ts");
    const folder = await unpack({ ...upload, files });
    const { entrypoint_path: entrypoint, import_map_path: config = "" } = upload.metadata;
    const args = ["check", "--no-lock", "--config", config, entrypoint];
    const check = await run(findDeno(), args, { cwd: folder, env: denoEnv() });
    await rm(folder, { recursive: true, force: true });
    expect(check.code).not.toBe(0);
    expect(check.output).toContain("packages/core/src/errors.ts");
  }, 60_000);

  test("supabase secrets set sends the key of RunPod", async () => {
    const set = await project.supabase(api, "secrets", "set", "RUNPOD_API_KEY=rpa_of_the_test");
    expect(set.code, set.output).toBe(0);
    expect(api.secrets).toEqual(new Map([["RUNPOD_API_KEY", "rpa_of_the_test"]]));
  }, 60_000);
});

/** What the platform sets for every function, and the one secret that is ours. */
async function hostedEnv(folder: string): Promise<Record<string, string>> {
  const keys = await loadKeys(folder);
  return {
    SUPABASE_URL: "http://127.0.0.1:9",
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify(keys.secrets),
    SUPABASE_JWKS: JSON.stringify(keys.jwks),
    RUNPOD_API_KEY: "rpa_of_the_test",
  };
}

/** The address that `deno serve` tells. */
async function listening(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (!stream) throw new Error("the output is not piped");
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    const url = /Listening on (http:\/\/[\d.:]+)/.exec(line)?.[1];
    if (url) return url;
    lines.push(line);
  }
  throw new Error(`Deno ended: ${lines.join("\n")}`);
}
