import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, openEngine } from "./harness.ts";

const MIGRATIONS = fileURLToPath(new URL("../../supabase/migrations/", import.meta.url));

/** A function as its migration makes it: the comment block directly above, and all its text. */
interface MadeFunction {
  file: string;
  name: string;
  head: string;
  body: string;
}

const made: MadeFunction[] = [];
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  for (const file of (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort()) {
    const text = await readFile(`${MIGRATIONS}${file}`, "utf8");
    // Each reaches up to whatever is made next, so that its body may hold anything.
    const parts = [...text.matchAll(/((?:^--.*\n)*)^create .*/gm)];
    parts.forEach((part, at) => {
      const name = /^create (?:or replace )?function (podbase(?:_private|_ops)?\.\w+)/m.exec(part[0])?.[1];
      const body = text.slice(part.index, parts[at + 1]?.index);
      if (name) made.push({ file, head: part[1] as string, name, body });
    });
  }
});
afterAll(() => engine.close());

describe("every function of the schema", () => {
  it("has its contract directly above it", async () => {
    const [row] = await engine.sql`
      select array_agg(distinct pronamespace::regnamespace || '.' || proname) as names from pg_proc
      where pronamespace = any ('{podbase,podbase_private,podbase_ops}'::regnamespace[])
        -- Made by arm_guard() from the transition tables.
        and proname not in ('guard_job', 'guard_task', 'guard_attempt')`;
    expect(made.length).toBeGreaterThan(80);
    expect(new Set(made.map(({ name }) => name))).toEqual(new Set(row!.names));
    expect(made.filter(({ head }) => !head).map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  it("that an API role may call says who that is", async () => {
    const open = await engine.sql<{ name: string; role: string }[]>`
      select p.pronamespace::regnamespace || '.' || p.proname as name, role
      from pg_proc p, unnest('{authenticated,service_role}'::text[]) role
      where p.pronamespace = any ('{podbase,podbase_private}'::regnamespace[])
        and has_function_privilege(role, p.oid, 'execute')`;
    const silent = open.filter(
      ({ name, role }) => !made.find((each) => each.name === name)?.head.match(`Caller:[^.]*${role}`),
    );
    expect(silent).toEqual([]);
  });

  it("that an API role may call to change something says what it locks and emits", async () => {
    const writers = await engine.sql<{ name: string }[]>`
      select distinct p.pronamespace::regnamespace || '.' || p.proname as name
      from pg_proc p, unnest('{authenticated,service_role}'::text[]) role
      where p.pronamespace = 'podbase_private'::regnamespace and p.provolatile = 'v'
        and has_function_privilege(role, p.oid, 'execute')`;
    const silent = writers.filter(({ name }) => {
      const { head = "" } = made.find((each) => each.name === name) ?? {};
      return !(/\block/i.test(head) && /\bemits\b/i.test(head)) && !/\b[Aa]s \w+\(\)/.test(head);
    });
    expect(silent).toEqual([]);
  });

  it("names each SQLSTATE that it raises itself", () => {
    const untold = made.flatMap(({ name, head, body }) =>
      [...body.matchAll(/errcode = '(PB\d{3})'/g)]
        .filter(([, code]) => !head.includes(code as string))
        .map(([, code]) => `${name}: ${code}`),
    );
    expect(untold).toEqual([]);
  });
});
