import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A small Supabase project in a temporary folder. */
export interface StackProject {
  projectDir: string;
  dataDir: string;
  remove(): Promise<void>;
}

const FILES = {
  "supabase/config.toml": `
    [api]
    schemas = ["public"]
    [functions.hello]
    verify_jwt = false
    [functions.hook]
    verify_jwt = false
  `,
  "supabase/migrations/20260101000000_notes.sql": `
    create extension if not exists pg_cron with schema pg_catalog;
    create extension if not exists pg_net with schema extensions;
    create table public.notes (id bigint generated always as identity primary key, body text not null);
    alter table public.notes enable row level security;
    grant select, insert on public.notes to authenticated;
    grant select on public.notes to service_role;
    create policy everyone on public.notes to authenticated using (true) with check (true);
    alter publication supabase_realtime add table public.notes;
  `,
  "supabase/functions/hello/index.ts": `export default { fetch: () => new Response("hello") };`,
  "supabase/functions/who/index.ts": `export default { fetch: (request) => new Response(request.headers.get("authorization")) };`,
  "supabase/functions/hook/index.ts": `export default { fetch: (request) => new Response(request.headers.get("apikey")) };`,
};

/** Writes the project; `remove()` it in `afterAll`. */
export async function makeStackProject(): Promise<StackProject> {
  const projectDir = await mkdtemp(join(tmpdir(), "podbase-stack-"));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(projectDir, path)), { recursive: true });
    await writeFile(join(projectDir, path), text);
  }
  return {
    projectDir,
    dataDir: join(projectDir, "data"),
    remove: () => rm(projectDir, { recursive: true, force: true }),
  };
}
