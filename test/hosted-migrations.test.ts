import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestDatabase } from "../packages/local/src/test-cluster.ts";
import { createTestDatabase } from "../packages/local/src/testing.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const CLI = createRequire(import.meta.url).resolve("supabase/dist/supabase.js");

/** The Supabase CLI against a database that has what a hosted project has, and nothing of ours. */
describe("the migrations on a hosted-shaped database", () => {
  let workdir: string;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ migrations: false });
    // A copy, because the CLI writes into the folder it works in.
    workdir = await mkdtemp(join(tmpdir(), "podbase-hosted-"));
    await mkdir(join(workdir, "home"));
    for (const part of ["config.toml", "migrations"]) {
      await cp(join(REPOSITORY, "supabase", part), join(workdir, "supabase", part), { recursive: true });
    }
  });
  afterAll(async () => {
    await database.drop();
    await rm(workdir, { recursive: true, force: true });
  });

  let secretKey = "sb_secret_of_the_test";
  const supabase = (target: TestDatabase, ...args: string[]) =>
    new Promise<{ code: number; stdout: string; output: string }>((resolve) => {
      const options = {
        cwd: workdir,
        env: {
          PATH: process.env.PATH,
          HOME: join(workdir, "home"),
          DO_NOT_TRACK: "1",
          SUPABASE_NO_UPDATE_NOTIFIER: "1",
          PODBASE_PROJECT_URL: "http://127.0.0.1:54321",
          PODBASE_SECRET_KEY: secretKey,
        },
      };
      const remote = `--remote=${target.ownerUrl}?sslmode=disable`;
      execFile(process.execPath, [CLI, ...args, remote], options, (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0;
        resolve({ code, stdout, output: `${stdout}${stderr}` });
      });
    });

  test("supabase db push applies them as postgres, and a second push finds nothing to do", async () => {
    const first = await supabase(database, "db", "push", "--yes", "--agent", "no");
    expect(first.code, first.output).toBe(0);
    const second = await supabase(database, "db", "push", "--yes", "--agent", "no");
    expect(second.code, second.output).toBe(0);
    expect(second.output).toContain("up to date");
    const sql = postgres(database.ownerUrl, { max: 1 });
    const [row] = await sql`select count(*)::int as jobs from cron.job where jobname like 'podbase-%'`;
    await sql.end();
    expect(row?.jobs).toBeGreaterThan(0);
  }, 120_000);

  test("supabase db push puts the two secrets into Vault, and a changed one only with a new migration", async () => {
    const sql = postgres(database.ownerUrl, { max: 1 });
    const secrets = async () =>
      Object.fromEntries(
        (await sql`select name, decrypted_secret from vault.decrypted_secrets`).map((row) => [
          row.name,
          row.decrypted_secret,
        ]),
      );
    const podbase_project_url = "http://127.0.0.1:54321";
    expect(await secrets()).toEqual({ podbase_project_url, podbase_secret_key: "sb_secret_of_the_test" });
    secretKey = "sb_secret_of_tomorrow";
    const push = async () => {
      const { code, output } = await supabase(database, "db", "push", "--yes", "--agent", "no");
      expect(code, output).toBe(0);
    };
    await push();
    expect(await secrets()).toEqual({ podbase_project_url, podbase_secret_key: "sb_secret_of_the_test" });
    const next = join(workdir, "supabase/migrations/29990101000000_next.sql");
    await writeFile(next, "select 1;");
    await push();
    await rm(next);
    expect(await secrets()).toEqual({ podbase_project_url, podbase_secret_key: "sb_secret_of_tomorrow" });
    await sql.end();
  }, 60_000);

  test("supabase db advisors finds nothing, though it would find an open table", async () => {
    const advise = async () => {
      const flags = ["--level", "warn", "--fail-on", "error", "--output-format", "json"];
      const { code, stdout, output } = await supabase(database, "db", "advisors", ...flags);
      const { results } = JSON.parse(stdout) as { results: { name: string }[] };
      return { code, output, names: results.map(({ name }) => name) };
    };
    const ours = await advise();
    expect(ours.names, ours.output).toEqual([]);
    expect(ours.code).toBe(0);
    const sql = postgres(database.ownerUrl, { max: 1 });
    await sql`create table public.open (id int primary key)`;
    await sql`grant select on public.open to anon`;
    await sql.end();
    const theirs = await advise();
    expect(theirs.names).toEqual(["rls_disabled_in_public"]);
    expect(theirs.code).toBe(1);
  }, 120_000);

  test("supabase db push finds a database that the local stack migrated up to date", async () => {
    const migrated = await createTestDatabase();
    const push = await supabase(migrated, "db", "push", "--yes", "--agent", "no");
    await migrated.drop();
    expect(push.code, push.output).toBe(0);
    expect(push.output).toContain("up to date");
  }, 120_000);
});
