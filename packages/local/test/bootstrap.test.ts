import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bootstrap } from "../src/bootstrap.ts";
import { type Postgres, startPostgres } from "../src/postgres/index.ts";
import { as, folder } from "./postgres-fixture.ts";

describe("a bootstrapped cluster", () => {
  let server: Postgres;
  let sql: postgres.Sql;
  beforeAll(async () => {
    server = await startPostgres({ dataDir: await folder() });
    await bootstrap(server);
    sql = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await server.stop();
  });

  test("is Postgres 17 with logical decoding, and migrations' role is no superuser", async () => {
    const [row] = await sql`
      select current_setting('server_version_num')::int / 10000 as major, current_setting('wal_level') as wal_level,
             rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
      from pg_roles where rolname = current_user`;
    expect(row).toEqual({
      major: 17,
      wal_level: "logical",
      rolsuper: false,
      rolcreaterole: true,
      rolcreatedb: true,
      rolreplication: true,
      rolbypassrls: true,
    });
    await expect(sql`alter system set fsync = on`).rejects.toThrow("permission denied");
  });

  test("lets nobody in without the password", async () => {
    for (const role of ["supabase_admin", "postgres", "authenticator"]) {
      const url = server.urlOf(role).replace(/:[^:@]*@/, ":guess@");
      await expect(as(url, (other) => other`select 1`)).rejects.toThrow("password authentication failed");
    }
  });

  test("has the roles' limits of a hosted project", async () => {
    const rows = await sql<{ rolname: string; setting: string }[]>`
      select rolname, unnest(rolconfig) as setting from pg_roles where rolname = any(${["anon", "authenticated"]})`;
    expect(rows).toEqual(
      expect.arrayContaining([
        { rolname: "anon", setting: "statement_timeout=3s" },
        { rolname: "authenticated", setting: "statement_timeout=8s" },
      ]),
    );
  });

  test("lets migrations do what they do on a hosted project", async () => {
    await sql.unsafe(`
      create extension if not exists pg_cron with schema pg_catalog;
      create extension if not exists pg_net with schema extensions;
      create extension if not exists supabase_vault with schema vault;
      create extension if not exists pgtap with schema extensions;
      create table public.notes (id uuid primary key default gen_random_uuid(), by_user uuid references auth.users (id));
      create function public.on_user() returns trigger language plpgsql as 'begin return new; end';
      create trigger on_user after insert on auth.users for each row execute function public.on_user();
      create policy own_files on storage.objects for select to authenticated using (owner_id = auth.uid()::text);
      create policy own_topic on realtime.messages for select to authenticated using (realtime.topic() = 'x');
      alter publication supabase_realtime add table public.notes;
      select extensions.digest('a', 'sha256'), extensions.uuid_generate_v4();
    `);
  });

  test("keeps migrations from what a hosted project forbids", async () => {
    for (const statement of [
      "create table auth.mine ()",
      "create table storage.mine ()",
      "create table realtime.mine ()",
      "alter table auth.users add column mine int",
      "insert into vault.secrets (secret) values ('x')",
      "create role boss superuser",
    ]) {
      await expect(sql.unsafe(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    }
  });

  test("grants nothing new in public to the API's roles", async () => {
    await sql`create table public.fresh (id int)`;
    const [row] = await sql`
      select has_table_privilege('anon', 'public.fresh', 'select') as anon,
             has_table_privilege('authenticated', 'public.fresh', 'select') as authenticated,
             has_table_privilege('service_role', 'public.fresh', 'select') as service_role`;
    expect(row).toEqual({ anon: false, authenticated: false, service_role: false });
  });

  test("tells PostgREST of every change of the schema", async () => {
    const heard = vi.fn();
    await as(server.superuserUrl, async (listener) => {
      await listener.listen("pgrst", heard);
      await sql`create table public.heard (id int)`;
      await vi.waitFor(() => expect(heard).toHaveBeenCalledWith("reload schema"), 10_000);
      heard.mockClear();
      await sql`drop table public.heard`;
      await vi.waitFor(() => expect(heard).toHaveBeenCalledWith("reload schema"), 10_000);
    });
  });

  test("Vault keeps secrets by name, readable to its reader alone", async () => {
    await sql`select vault.create_secret('s3cret', 'a_name', 'what for')`;
    const [secret] =
      await sql`select id, decrypted_secret from vault.decrypted_secrets where name = 'a_name'`;
    await sql`select vault.update_secret(${secret?.id}, 'newer')`;
    expect(
      await sql`select decrypted_secret, description from vault.decrypted_secrets where name = 'a_name'`,
    ).toEqual([{ decrypted_secret: "newer", description: "what for" }]);
    const asUser = sql.begin(async (tx) => {
      await tx`set local role authenticated`;
      return tx`select * from vault.decrypted_secrets`;
    });
    await expect(asUser).rejects.toThrow("permission denied");
  });
});
