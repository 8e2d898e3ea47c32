import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { must, signedUp, startServices, type TestServices } from "./auth-and-storage.ts";

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.stop());

describe("the admin's users", () => {
  test("belong to the secret key alone", async () => {
    const { client, token, id } = await signedUp(services);
    for (const caller of [client, services.client()]) {
      expect((await caller.auth.admin.listUsers()).error).toMatchObject({ status: 403, code: "not_admin" });
      expect((await caller.auth.admin.deleteUser(id)).error).toMatchObject({ code: "not_admin" });
    }
    const mixed = await fetch(`${services.url}/auth/v1/admin/users`, {
      headers: { apikey: services.keys.secrets.default as string, authorization: `Bearer ${token}` },
    });
    expect(mixed.status).toBe(403);
    expect((await services.admin.auth.admin.getUserById(id)).error).toBeNull();
  });

  test("are made unconfirmed or confirmed, with an id and metadata of choice", async () => {
    const { admin } = services.admin.auth;
    const id = crypto.randomUUID();
    const { user } = must(
      await admin.createUser({
        id,
        email: "made@podbase.test",
        password: "correct horse",
        user_metadata: { a: 1 },
        app_metadata: { plan: "gold" },
      }),
    );
    expect(user).toMatchObject({
      id,
      user_metadata: { a: 1 },
      app_metadata: { plan: "gold", provider: "email", providers: ["email"] },
      identities: [{ provider: "email" }],
    });
    expect(user.email_confirmed_at).toBeUndefined();
    const signIn = () =>
      services.client().auth.signInWithPassword({ email: "made@podbase.test", password: "correct horse" });
    expect((await signIn()).error?.code).toBe("email_not_confirmed");
    must(await admin.updateUserById(id, { email_confirm: true }));
    expect((await signIn()).error).toBeNull();
    expect((await admin.createUser({ email: "made@podbase.test" })).error).toMatchObject({
      status: 422,
      code: "email_exists",
    });
    expect((await admin.createUser({})).error).toMatchObject({ status: 400, code: "validation_failed" });
  });

  test("are changed: address, password, metadata, ban", async () => {
    const { admin } = services.admin.auth;
    const { client, id, token } = await signedUp(services);
    const { user } = must(
      await admin.updateUserById(id, {
        email: "renamed@podbase.test",
        email_confirm: true,
        password: "better horse",
        app_metadata: { plan: "gold", provider: null },
      }),
    );
    expect(user).toMatchObject({ email: "renamed@podbase.test", app_metadata: { plan: "gold" } });
    expect(user.app_metadata).not.toHaveProperty("provider");
    expect((await client.auth.getUser(token)).error?.name).toBe("AuthSessionMissingError");
    const signIn = () =>
      services.client().auth.signInWithPassword({ email: "renamed@podbase.test", password: "better horse" });
    const session = must(await signIn()).session;
    must(await admin.updateUserById(id, { ban_duration: "1h30m" }));
    expect((await signIn()).error?.code).toBe("user_banned");
    expect((await client.auth.getUser(session?.access_token)).error?.code).toBe("user_banned");
    must(await admin.updateUserById(id, { ban_duration: "none" }));
    expect((await signIn()).error).toBeNull();
    expect((await admin.updateUserById(id, { ban_duration: "soon" })).error?.code).toBe("validation_failed");
  });

  test("are deleted for good, or softly", async () => {
    const { admin } = services.admin.auth;
    const [hard, soft] = [await signedUp(services), await signedUp(services)];
    must(await admin.deleteUser(hard.id));
    expect((await admin.getUserById(hard.id)).error).toMatchObject({ status: 404, code: "user_not_found" });
    expect((await hard.client.auth.getUser(hard.token)).error?.code).toBe("user_not_found");
    must(await admin.deleteUser(soft.id, true));
    const { user } = must(await admin.getUserById(soft.id));
    expect(user.email).not.toContain("@");
    expect(user.deleted_at).toBeDefined();
    expect(
      (await services.client().auth.signUp({ email: soft.email, password: "correct horse" })).error,
    ).toBeNull();
  });

  test("are listed by pages, newest first", async () => {
    const fresh = await startServices();
    try {
      for (let i = 0; i < 5; i++) await signedUp(fresh, `page-${i}@podbase.test`);
      const list = async (page: number) => must(await fresh.admin.auth.admin.listUsers({ page, perPage: 2 }));
      const first = await list(1);
      expect(first).toMatchObject({ total: 5, nextPage: 2, lastPage: 3, aud: "authenticated" });
      const pages = [first, await list(2), await list(3)];
      expect(pages.flatMap(({ users }) => users.map(({ email }) => email))).toEqual(
        [4, 3, 2, 1, 0].map((i) => `page-${i}@podbase.test`),
      );
      expect(pages[2]).toMatchObject({ nextPage: null });
    } finally {
      await fresh.stop();
    }
  });
});

describe("the schema", () => {
  const asOwner = async <T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    const sql = postgres(services.ownerUrl, { onnotice: () => {}, max: 1 });
    return work(sql).finally(() => sql.end());
  };

  test("lets migrations hang triggers and foreign keys on users", async () => {
    await asOwner(async (sql) => {
      await sql`
        create table public.profiles (id uuid primary key references auth.users on delete cascade, name text)`;
      await sql.unsafe(`
        create function public.new_profile() returns trigger language plpgsql security definer set search_path = '' as $$
        begin
          if new.raw_user_meta_data ->> 'name' = 'forbidden' then raise exception 'no such name'; end if;
          insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'name');
          return new;
        end $$;
        create trigger on_signup after insert on auth.users
          for each row execute function public.new_profile();`);
      const email = "profile@podbase.test";
      const { data } = await services
        .client()
        .auth.signUp({ email, password: "correct horse", options: { data: { name: "Ada" } } });
      expect(await sql`select id, name from public.profiles`).toEqual([{ id: data.user?.id, name: "Ada" }]);
      const refused = await services
        .client()
        .auth.signInAnonymously({ options: { data: { name: "forbidden" } } });
      expect(refused.error).toMatchObject({ status: 500, message: "Database error saving new user" });
      expect(services.logged).toContain("auth: Database error saving new user: no such name");
      must(await services.admin.auth.admin.deleteUser(data.user?.id ?? ""));
      expect(await sql`select * from public.profiles`).toEqual([]);
      await sql`drop function public.new_profile() cascade`;
    });
  });

  test("keeps a trigger without definer rights from working here and failing on a hosted project", async () => {
    await asOwner(async (sql) => {
      await sql`create table public.log (email text)`;
      await sql.unsafe(`
        create function public.log_signup() returns trigger language plpgsql as $$
        begin insert into public.log values (new.email); return new; end $$;
        create trigger log_signup after insert on auth.users for each row execute function public.log_signup();`);
      const { error } = await services.client().auth.signInAnonymously();
      expect(error).toMatchObject({ status: 500, message: "Database error saving new user" });
      await sql`drop function public.log_signup() cascade`;
    });
  });

  test("shows its tables to no API role, and answers auth.uid() from the claims", async () => {
    await services.sql.begin(async (tx) => {
      const claims = JSON.stringify({
        sub: "7a2f6a0e-0000-4000-8000-000000000001",
        role: "authenticated",
        email: "a@b",
      });
      await tx`select set_config('request.jwt.claims', ${claims}, true), set_config('role', 'authenticated', true)`;
      expect(
        await tx`select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'role' as jwt_role`,
      ).toEqual([
        {
          uid: "7a2f6a0e-0000-4000-8000-000000000001",
          role: "authenticated",
          email: "a@b",
          jwt_role: "authenticated",
        },
      ]);
    });
    for (const role of ["anon", "authenticated", "service_role"]) {
      for (const table of ["users", "identities", "sessions", "refresh_tokens", "mfa_amr_claims"]) {
        const read = services.sql.begin(async (tx) => {
          await tx`select set_config('role', ${role}, true)`;
          return tx`select * from ${tx(`auth.${table}`)}`;
        });
        await expect(read, `${role} reads ${table}`).rejects.toMatchObject({ code: "42501" });
      }
    }
    expect(
      await services.sql`
      select proname from pg_proc where pronamespace = 'auth'::regnamespace and provolatile <> 's'`,
    ).toEqual([]);
  });
});
