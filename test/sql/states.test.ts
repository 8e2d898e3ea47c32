import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderStateFiles } from "../../scripts/state-files.ts";
import { type Engine, ONE, openEngine } from "./harness.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine.close());

/** The table and column of each machine. */
const MACHINES = [
  ["job", "podbase.jobs", "status"],
  ["task", "podbase.tasks", "status"],
  ["attempt", "podbase_private.attempts", "state"],
] as const;

describe("state machines", () => {
  it.each(MACHINES)(
    "of a %s allow every move of their table and refuse every other (PB004)",
    async (machine, table, column) => {
      const { job } = await engine.submit(await engine.user(), ONE);
      const owner = machine === "job" ? "id" : "job_id";
      const moves = await engine.sql<{ from: string; to: string }[]>`
        select from_state::text as from, to_state::text as to
        from ${engine.sql(`podbase_private.${machine}_transitions`)}`;
      const allowed = new Set(moves.map(({ from, to }) => `${from} ${to}`));
      const states = await engine.sql<{ state: string }[]>`
        select enumlabel as state from pg_enum e join pg_attribute a on a.atttypid = e.enumtypid
        where a.attrelid = ${table}::regclass and a.attname = ${column}`;
      // Finished rows carry the time of their end, which a check of the table demands.
      const set = (state: string) =>
        machine === "attempt"
          ? `${column} = '${state}'`
          : `${column} = '${state}', finished_at = ${/completed|failed|canceled/.test(state) ? "now()" : "null"}`;
      for (const { state: from } of states) {
        for (const { state: to } of states) {
          await engine.sql.unsafe(`alter table ${table} disable trigger guard`);
          await engine.sql.unsafe(`update ${table} set ${set(from)} where ${owner} = '${job.id}'`);
          await engine.sql.unsafe(`alter table ${table} enable trigger guard`);
          const outcome = await engine.sql
            .unsafe(`update ${table} set ${set(to)} where ${owner} = '${job.id}'`)
            .then(
              () => "allowed",
              (error) => error.code as string,
            );
          const expected = from === to || allowed.has(`${from} ${to}`) ? "allowed" : "PB004";
          expect(outcome, `${from} to ${to}`).toBe(expected);
        }
      }
      expect(states.length).toBeGreaterThan(4);
    },
  );

  it("go with the time of the end, and the history is never changed, not even by a superuser", async () => {
    const { job, claims } = await engine.submit(await engine.user(), ONE);
    await engine.complete(claims[0]!);
    for (const table of ["jobs", "tasks"]) {
      await expect(
        engine.sql.unsafe(`update podbase.${table} set finished_at = null`),
        table,
      ).rejects.toMatchObject({ code: "23514" });
    }
    await expect(
      engine.sql`update podbase_private.job_events set cause = 'another' where job_id = ${job.id}`,
    ).rejects.toMatchObject({ code: "55000" });
  });

  it("are what packages/core and docs say they are (npx tsx scripts/generate-states.ts)", async () => {
    for (const [path, text] of Object.entries(await renderStateFiles(engine.pool))) {
      const file = await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
      expect(file, path).toBe(text);
    }
  });
});
