import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { StackContext } from "../src/context.ts";
import { createFunctions, type Functions } from "../src/functions/index.ts";
import { loadKeys } from "../src/keys.ts";

const NODE_MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));

let project: string;
let ctx: StackContext;
let functions: Functions;
const log: string[] = [];

const write = async (path: string, text: string) => {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), text);
};
const call = (path: string, init?: RequestInit) =>
  functions.fetch(new Request(`http://127.0.0.1:54321/functions/v1/${path}`, init));
const textOf = async (path: string) => (await call(path)).text();

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "podbase-functions-"));
  await symlink(NODE_MODULES, join(project, "node_modules"));
  await write("package.json", "{}");
  await write(
    "supabase/config.toml",
    `${["hello", "served", "slow", "crash", "broken", "late", "env", "stream", "zod", "silent", "first"]
      .map((name) => `[functions.${name}]\nverify_jwt = false`)
      .join("\n")}\n[functions.off]\nenabled = false\n`,
  );
  await write("packages/shared/src/word.ts", `export const word = "shared";`);
  await write("supabase/functions/_shared/own.ts", `export enum Kind { One = "one" }`);
  await write(
    "supabase/functions/hello/index.ts",
    `import { word } from "../../../packages/shared/src/word.ts";
     import { Kind } from "../_shared/own.ts";
     export default { fetch: (request: Request) => new Response(word + Kind.One + new URL(request.url).pathname) };`,
  );
  await write(
    "supabase/functions/served/index.ts",
    `Deno.serve({ port: 1 }, async (request) => Response.json({ got: await request.text(), method: request.method }, { status: 201 }));`,
  );
  await write(
    "supabase/functions/slow/index.ts",
    `export default { async fetch() { await new Promise((done) => setTimeout(done, 800)); return new Response("first"); } };`,
  );
  await write(
    "supabase/functions/crash/index.ts",
    `let calls = 0;
     export default { async fetch(request) {
       calls += 1;
       if (request.url.endsWith("?now")) { setTimeout(() => { throw new Error("boom"); }); await new Promise(() => {}); }
       return new Response(String(calls));
     } };`,
  );
  await write("supabase/functions/broken/index.ts", `throw new Error("at boot");`);
  await write(
    "supabase/functions/late/index.ts",
    `export default { fetch(request) {
       const target = new URL(request.url).searchParams.get("file");
       EdgeRuntime.waitUntil(new Promise((done) => setTimeout(done, 500)).then(() => Deno.writeTextFile(target, "late")));
       return new Response("answered");
     } };`,
  );
  await write(
    "supabase/functions/env/index.ts",
    `export default { fetch: () => Response.json(Deno.env.toObject()) };`,
  );
  await write(
    "supabase/functions/stream/index.ts",
    `export default { fetch: (request) => new Response(request.body.pipeThrough(new TransformStream())) };`,
  );
  await write("supabase/functions/zod/deno.json", `{ "imports": { "zod": "npm:zod@4.6.7" } }`);
  await write(
    "supabase/functions/zod/index.ts",
    `import { z } from "zod";
     export default { fetch: () => Response.json(z.string().safeParse(1).success) };`,
  );
  await write("supabase/functions/guarded/index.ts", `export default { fetch: () => new Response("in") };`);
  await write(
    "supabase/functions/first/index.ts",
    `export default { async fetch(request) {
       const go = new URL(request.url).searchParams.get("file");
       while (!(await Deno.stat(go).catch(() => null))) await new Promise((done) => setTimeout(done, 10));
       return new Response("first");
     } };`,
  );
  await write("supabase/functions/silent/index.ts", `export default { fetch: () => new Promise(() => {}) };`);
  await write("supabase/functions/off/index.ts", `export default { fetch: () => new Response("on") };`);
  await write("supabase/functions/.env", "FROM_FILE=1\nBOTH=file\nSUPABASE_URL=stolen\n");
  const keys = await loadKeys(join(project, "data"));
  ctx = {
    // Functions reach the database by its URL, not through the stack's pool.
    sql: undefined as unknown as postgres.Sql,
    keys,
    url: "http://127.0.0.1:54321",
    dataDir: join(project, "data"),
    log: (line) => log.push(line),
  };
  functions = await createFunctions(ctx, {
    projectDir: project,
    databaseUrl: "postgres://postgres@127.0.0.1:1/postgres",
    extraEnv: { BOTH: "given", RUNPOD_API_KEY: "rpa_x" },
    idleTimeoutMs: 5000,
  });
});
afterAll(async () => {
  await functions.close();
  await rm(project, { recursive: true, force: true });
});
afterEach(() => {
  log.length = 0;
});

describe("Edge Functions", () => {
  test("an exported fetch handler sees its own path and may import shared sources", async () => {
    expect(await textOf("hello/some/path?x=1")).toBe("sharedone/hello/some/path");
  });

  test("Deno.serve with its own options answers as well", async () => {
    const answer = await call("served", { method: "POST", body: "body" });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ got: "body", method: "POST" });
  });

  test("npm packages come from the project's node_modules", async () => {
    expect(await textOf("zod")).toBe("false");
  });

  test("bodies stream both ways", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = await call("stream", { method: "POST", body: readable, duplex: "half" } as RequestInit);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const writer = writable.getWriter();
    for (const word of ["one", "two"]) {
      await writer.write(new TextEncoder().encode(word));
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(word);
    }
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  test("a function has the platform's variables and the project's secrets, and nothing of ours", async () => {
    process.env.PODBASE_TEST_LEAK = "leak";
    const env = (await (await call("env")).json()) as Record<string, string>;
    delete process.env.PODBASE_TEST_LEAK;
    expect(Object.keys(env).sort()).toEqual([
      "BOTH",
      "DENO_DIR",
      "DENO_NO_UPDATE_CHECK",
      "FROM_FILE",
      ...(process.env.HOME ? ["HOME"] : []),
      "NO_COLOR",
      "PATH",
      "RUNPOD_API_KEY",
      "SUPABASE_ANON_KEY",
      "SUPABASE_DB_URL",
      "SUPABASE_JWKS",
      "SUPABASE_PUBLISHABLE_KEYS",
      "SUPABASE_SECRET_KEYS",
      "SUPABASE_SERVICE_ROLE_KEY",
      "SUPABASE_URL",
    ]);
    expect(env).toMatchObject({ BOTH: "given", FROM_FILE: "1", SUPABASE_URL: ctx.url });
    expect(JSON.parse(env.SUPABASE_SECRET_KEYS as string)).toEqual(ctx.keys.secrets);
    expect(JSON.parse(env.SUPABASE_JWKS as string)).toEqual(ctx.keys.jwks);
  });

  test("work given to waitUntil goes on after the answer, even when the process is retired meanwhile", async () => {
    const file = join("/tmp", `podbase-late-${crypto.randomUUID()}`);
    expect(await textOf(`late?file=${file}`)).toBe("answered");
    await write("supabase/functions/late/index.ts", `export default { fetch: () => new Response("new") };`);
    await vi.waitFor(async () => expect(await textOf("late")).toBe("new"), 10_000);
    await vi.waitFor(async () => expect(await readFile(file, "utf8")).toBe("late"), 10_000);
    await rm(file);
  });

  test("an edit reaches the next request while requests under way finish with the old code", async () => {
    await call("slow");
    const underWay = textOf("slow");
    await write(
      "supabase/functions/slow/index.ts",
      `export default { fetch: () => new Response("second") };`,
    );
    await vi.waitFor(async () => expect(await textOf("slow")).toBe("second"), 10_000);
    expect(await underWay).toBe("first");
  });

  test("an edit of shared sources reaches every function", async () => {
    await write("packages/shared/src/word.ts", `export const word = "edited";`);
    await vi.waitFor(async () => expect(await textOf("hello")).toBe("editedone/hello"), 10_000);
  });

  test("a function that appears is served", async () => {
    await write(
      "supabase/functions/fresh/index.ts",
      `export default { fetch: () => new Response("fresh") };`,
    );
    const jwt = await ctx.keys.sign({ role: "authenticated" }, 60);
    await vi.waitFor(async () => {
      const answer = await call("fresh", { headers: { authorization: `Bearer ${jwt}` } });
      expect(await answer.text()).toBe("fresh");
    }, 10_000);
  });

  test("a crash answers 500 and the next request meets a new process", async () => {
    expect(await textOf("crash")).toBe("1");
    expect(await textOf("crash")).toBe("2");
    const answer = await call("crash?now");
    expect(answer.status).toBe(500);
    expect(answer.headers.get("sb-error-code")).toBe("WORKER_ERROR");
    await vi.waitFor(() => expect(log.join("\n")).toContain("boom"), 10_000);
    expect(await textOf("crash")).toBe("1");
  });

  test("a function is not killed before it has answered anything", async () => {
    expect(await functions.kill("first")).toBe(false);
    const go = join(project, "go");
    const answer = textOf(`first?file=${go}`);
    await vi.waitFor(() => expect(functions.calls().first).toBe(1), { timeout: 10_000 });
    expect(await functions.kill("first")).toBe(false);
    await writeFile(go, "");
    expect(await answer).toBe("first");
    expect(await functions.kill("first")).toBe(true);
  });

  test("a killed function starts again", async () => {
    await call("crash");
    expect(await functions.kill("crash")).toBe(true);
    expect(await functions.kill("crash")).toBe(false);
    expect(await textOf("crash")).toBe("1");
  });

  test("a function that fails at boot answers 503 until it is repaired", async () => {
    const answer = await call("broken");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "BOOT_ERROR" });
    expect(log.join("\n")).toContain("at boot");
    await write(
      "supabase/functions/broken/index.ts",
      `export default { fetch: () => new Response("well") };`,
    );
    await vi.waitFor(async () => expect(await textOf("broken")).toBe("well"), 10_000);
  });

  test("a function that does not answer in time costs its caller 504, and no other caller anything", async () => {
    const answer = call("silent");
    expect(await textOf("served")).toContain("GET");
    expect((await answer).status).toBe(504);
    expect(await (await answer).json()).toMatchObject({ code: "IDLE_TIMEOUT" });
  });

  test("unknown and disabled functions are not found", async () => {
    for (const name of ["nope", "off", "_shared"]) {
      const answer = await call(name);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ code: "NOT_FOUND", message: "Requested function was not found" });
    }
  });
});

describe("verify_jwt", () => {
  const status = async (init?: RequestInit) => {
    const answer = await call("guarded", init);
    return [answer.status, answer.headers.get("sb-error-code"), await answer.text()];
  };

  test("lets a valid user token and a preflight through", async () => {
    const jwt = await ctx.keys.sign({ role: "authenticated", sub: crypto.randomUUID() }, 60);
    expect(await status({ headers: { authorization: `Bearer ${jwt}` } })).toEqual([200, null, "in"]);
    expect(await status({ method: "OPTIONS" })).toEqual([200, null, "in"]);
  });

  test("refuses a missing, an expired and an opaque token", async () => {
    const missing = JSON.stringify({ code: 401, message: "Missing authorization header" });
    const invalid = JSON.stringify({ code: 401, message: "Invalid JWT" });
    const expired = await ctx.keys.sign({ role: "authenticated" }, -10);
    expect(await status()).toEqual([401, "UNAUTHORIZED_NO_AUTH_HEADER", missing]);
    for (const token of [expired, ctx.keys.publishable]) {
      expect(await status({ headers: { authorization: `Bearer ${token}` } })).toEqual([
        401,
        "UNAUTHORIZED_INVALID_JWT_FORMAT",
        invalid,
      ]);
    }
  });
});
