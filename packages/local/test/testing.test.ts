import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestDatabase } from "../src/test-cluster.ts";
import { createTestDatabase } from "../src/testing.ts";

describe("databases for tests", () => {
  let one: TestDatabase;
  let two: TestDatabase;
  beforeAll(async () => {
    [one, two] = await Promise.all([
      createTestDatabase({ migrations: false }),
      createTestDatabase({ migrations: false }),
    ]);
  });
  afterAll(() => Promise.all([one.drop(), two.drop()]));

  test("each clone is its own, and migrations' role is no superuser", async () => {
    const sql = postgres(one.ownerUrl, { max: 1, onnotice: () => {} });
    const other = postgres(two.ownerUrl, { max: 1 });
    await sql`create table public.only_here (id int)`;
    expect(
      await sql`select current_setting('is_superuser') as superuser, current_database() as name`,
    ).toEqual([{ superuser: "off", name: one.name }]);
    expect(await other`select to_regclass('public.only_here') as found`).toEqual([{ found: null }]);
    await Promise.all([sql.end(), other.end()]);
  });

  test("with migrations, the history is what the Supabase CLI reads", async () => {
    const database = await createTestDatabase();
    const sql = postgres(database.ownerUrl, { max: 1 });
    const [first] =
      await sql`select version, name from supabase_migrations.schema_migrations order by version`;
    expect(first).toEqual({ version: expect.stringMatching(/^\d{14}$/), name: expect.any(String) });
    await sql.end();
    await database.drop();
  });
});
