import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "@podbase/local";
import { createSimulator, type Handler, type Simulator } from "@podbase/simulator";
import { pdfHandler, runHandler, textHandler } from "@podbase/worker";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./e2e/harness.ts";
import { ACCESS_TOKEN, copyProject, PROJECT_REF, type ProjectCopy, ROOT, unpack } from "./hosted/deploy.ts";
import { type GuideBlock, GuideShell, guideBlocks, isAsPrinted, runSql } from "./hosted/guide.ts";
import { type ManagementApi, startManagementApi } from "./hosted/management-api.ts";

const GUIDE = "docs/going-live.md";
const IMAGE = "registry.example/podbase-reading";
const RUNPOD_KEY = "rpa_of_the_guide";
const blocks = guideBlocks(await readFile(join(ROOT, GUIDE), "utf8"));
/** What only the reader has: names and keys, and the image. */
const isFilledIn = ({ code }: GuideBlock) => /=.*<.+>/.test(code);

/** All of the reading worker in one image, with half a second of silence for a voice. */
const reading: Handler = (job) => {
  const input = (job as { input: Record<string, unknown> }).input;
  if ("birthDate" in input) return runHandler(job, textHandler);
  if ("markdown" in input) return runHandler(job, pdfHandler);
  return runHandler(job, async (_input, { upload }) =>
    upload("audio", new Uint8Array(8000)).then(() => ({})),
  );
};

/**
 * The guide as its reader follows it, block by block. The hosted project is a stack with nothing of ours in it: its
 * database gets what the CLI pushes, its functions are what the CLI uploads. RunPod is its twin.
 */
describe(GUIDE, () => {
  let folder: string;
  let project: ProjectCopy;
  let stack: Stack;
  let simulator: Simulator;
  let api: ManagementApi;
  let sql: Sql;
  let shell: GuideShell;
  let exposed: string | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "podbase-guide-"));
    const hosted = join(folder, "hosted");
    await mkdir(join(hosted, "supabase/migrations"), { recursive: true });
    await mkdir(join(hosted, "supabase/functions"));
    await cp(join(ROOT, "supabase/config.toml"), join(hosted, "supabase/config.toml"));
    await symlink(join(ROOT, "node_modules"), join(hosted, "node_modules"));
    simulator = await createSimulator({
      apiKey: RUNPOD_KEY,
      endpoints: {},
      images: { [IMAGE]: { handler: reading, coldStartMs: 300 } },
    });
    stack = await startStack({
      projectDir: hosted,
      dataDir: join(folder, "data"),
      port: 0,
      functionsEnv: { RUNPOD_BASE_URL: simulator.url },
    });
    // The local stack fills Vault by itself; a hosted project does not.
    await stack.sql`delete from vault.secrets`;
    api = await startManagementApi(ACCESS_TOKEN, {
      async deploy(uploaded) {
        await unpack(uploaded, hosted);
        const call = () => fetch(`${stack.url}/functions/v1/${uploaded.slug}`, { method: "POST" });
        await eventually(async () => (await call()).headers.get("sb-error-code") !== "NOT_FOUND");
      },
      async setSecrets(secrets) {
        const lines = [...secrets].map(([name, value]) => `${name}=${value}\n`);
        await writeFile(join(hosted, "supabase/functions/.env"), lines.join(""));
      },
      exposeSchemas: (schemas) => {
        exposed = schemas;
      },
    });
    project = await copyProject();
    sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
    const env = await project.env(api);
    shell = new GuideShell({
      cwd: project.folder,
      state: folder,
      env: {
        ...env,
        PATH: `${join(ROOT, "node_modules/.bin")}:${env.PATH}`,
        PROJECT_REF,
        PROJECT_URL: stack.url,
        DATABASE_URL: `${stack.databaseUrl}?sslmode=disable`,
        PUBLISHABLE_KEY: stack.publishableKey,
        SECRET_KEY: stack.secretKeys.podbase as string,
        RUNPOD_ADMIN_KEY: RUNPOD_KEY,
        RUNPOD_KEY,
        WORKER_IMAGE: IMAGE,
      },
    });
  }, 120_000);
  afterAll(async () => {
    await sql.end();
    await stack.stop();
    await simulator.stop();
    await api.close();
    await project.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const withKey = (code: string) => code.replace("<the new secret key>", stack.secretKeys.default as string);
  const addressedHere = (code: string) =>
    code
      .replaceAll("https://api.supabase.com", api.url)
      .replaceAll("https://api.runpod.io/v2", simulator.managementUrl)
      .replaceAll("https://api.runpod.ai/v2", simulator.url);

  test.each(blocks.filter((block) => !isFilledIn(block)))(
    "line $line does and prints what it says",
    async ({ language, code, prints }) => {
      const run = () => (language === "sql" ? runSql(sql, withKey(code)) : shell.run(addressedHere(code)));
      if (language === "sh" || prints === undefined) {
        const printed = await run();
        if (prints !== undefined) expect(isAsPrinted(printed, prints), printed).toBe(true);
        return;
      }
      // Some things take a while, as the guide says of them.
      await expect
        .poll(run, { timeout: 60_000, interval: 500 })
        .toSatisfy((text) => isAsPrinted(text, prints));
    },
    120_000,
  );

  test("left nothing exposed", () => {
    expect(exposed).toBe("public, graphql_public");
  });
});
