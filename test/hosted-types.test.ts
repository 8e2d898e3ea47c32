import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Database } from "@podbase/client/database";
import type { SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import type { TestDatabase } from "../packages/local/src/test-cluster.ts";
import { createTestDatabase } from "../packages/local/src/testing.ts";
import { DATABASE_TYPES, renderDatabaseTypes } from "../scripts/database-types.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe(DATABASE_TYPES, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test("is what supabase gen types makes of the migrations (if not: npm run generate:types)", async () => {
    const committed = await readFile(join(ROOT, DATABASE_TYPES), "utf8");
    expect(await renderDatabaseTypes(database.ownerUrl)).toBe(committed);
    const sql = postgres(database.ownerUrl, { max: 1 });
    await sql`alter table podbase.jobs add column drifted int`;
    await sql.end();
    expect(await renderDatabaseTypes(database.ownerUrl)).not.toBe(committed);
  }, 60_000);

  test("types the rows that an app selects", () => {
    const select = (supabase: SupabaseClient<Database>) =>
      supabase.schema("podbase").from("jobs").select("id, status, progress, tasks(name)").single();
    expectTypeOf<NonNullable<Awaited<ReturnType<typeof select>>["data"]>>().toEqualTypeOf<{
      id: string;
      status: "queued" | "processing" | "completed" | "failed" | "canceled";
      progress: number | null;
      tasks: { name: string }[];
    }>();
  });
});
