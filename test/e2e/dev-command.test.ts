import { appendFile, cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { podbase } from "./command.ts";
import { eventually, ROOT } from "./harness.ts";
import { strays } from "./strays.ts";

/** `podbase dev` as a person runs it, on a copy of the project that may be edited. */
describe("podbase dev", () => {
  let folder: string;
  let ready: { url: string; publishableKey: string };
  let running: ReturnType<typeof podbase>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "podbase-dev-"));
    for (const part of ["supabase", "packages/core/src", "packages/edge/src", "package.json"]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    running = podbase(["dev", "--json", "--port", "0"], { cwd: folder });
    const line = await eventually(() => running.stdout.find((text) => text.startsWith("{")));
    ready = JSON.parse(line);
  }, 90_000);
  afterAll(async () => {
    running.child.kill("SIGKILL");
    await running.exited;
    // What the command started ends by itself, a moment after it.
    await eventually(async () => (await strays(folder)).length === 0);
    await rm(folder, { recursive: true, force: true });
  });

  const told = (text: string) => eventually(() => running.stderr.some((line) => line.includes(text)));
  const file = (path: string) => join(folder, path);

  it("serves the page from its sources", async () => {
    const page = await (await fetch(ready.url)).text();
    expect(page).toContain("/@vite/client");
    const { url } = await (await fetch(`${ready.url}/podbase.json`)).json();
    expect(url).toBe(ready.url);
  });

  it("answers the next call of an edited function with the new code, and says so", async () => {
    const call = async () =>
      (await fetch(`${ready.url}/functions/v1/request-job`, { method: "POST", body: "{}" })).text();
    expect(await call()).toContain("unauthorized");
    await writeFile(
      file("supabase/functions/request-job/index.ts"),
      `export default { fetch: () => new Response("edited") };`,
    );
    await told("function request-job changed");
    expect(await call()).toBe("edited");
  }, 60_000);

  it("takes a change of the packages into the functions that use them", async () => {
    await appendFile(file("packages/edge/src/serve.ts"), `\nconsole.log("edge was edited");\n`);
    await told("shared code changed");
    const response = await fetch(`${ready.url}/functions/v1/reconcile`, { method: "POST", body: "{}" });
    expect(response.status).toBe(401);
    await told("edge was edited");
  }, 60_000);

  it("answers a changed migration with a fresh database at the same address, and waits out a broken one", async () => {
    const migration = file("supabase/migrations/20990101000000_edited.sql");
    const rest = async () => {
      const headers = { apikey: ready.publishableKey };
      const response = await fetch(`${ready.url}/rest/v1/edited?select=id`, { headers }).catch(
        () => undefined,
      );
      return response?.status;
    };
    await writeFile(migration, "create table public.edited (id int primary key;");
    await told("20990101000000_edited.sql:1: syntax error");
    await told("Nothing runs until the next edit");
    expect(await rest()).toBeUndefined();
    await writeFile(
      migration,
      "create table public.edited (id int primary key); grant select on public.edited to anon;",
    );
    await told("The database is new, and empty");
    expect(await rest()).toBe(200);
  }, 120_000);

  it("ends with Ctrl-C and leaves no process behind", async () => {
    running.child.kill("SIGINT");
    expect(await running.exited).toBe(130);
    expect(await strays(folder)).toEqual([]);
  }, 30_000);
});
