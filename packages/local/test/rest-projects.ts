import { afterAll } from "vitest";
import { startRest, type TestRest } from "./rest-fixture.ts";

/** REST with the projects for a whole test file, and how to look at answers. Awaited once, at the top of the file. */
export async function projectsOfFile() {
  const rest = await startRest();
  afterAll(() => rest.stop());
  await seedProjects(rest);
  return {
    rest,
    /** The names of the rows, in their order. */
    names: (data: unknown): string[] => (data as { name: string }[]).map(({ name }) => name),
    /** What a bare GET is answered. */
    async json(path: string, headers: Record<string, string> = {}) {
      const response = await rest.raw(path, { headers });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
  };
}

/** Three projects of Alice's, with tasks, a detail and labels. */
async function seedProjects(rest: TestRest): Promise<void> {
  const { data, error } = await rest.alice
    .from("projects")
    .insert([
      {
        name: "apollo",
        client_id: 1,
        score: 11.5,
        tags: ["moon", "nasa"],
        data: { crew: [{ n: "neil" }], n: 3 },
      },
      { name: "gemini", client_id: 2, score: null, tags: ["nasa"], data: { crew: [], n: 2 } },
      { name: "mercury", client_id: null, score: 6, tags: [], data: null },
    ])
    .select("id, name");
  if (error) throw error;
  const idOf = (name: string) =>
    (data as { id: string; name: string }[]).find((project) => project.name === name)?.id as string;
  const apollo = idOf("apollo");
  const gemini = idOf("gemini");
  await rest.sql`
    insert into public.tasks (id, project_id, parent_id, title, rank, done) overriding system value values
    (1, ${apollo}, null, 'build', 1, true), (2, ${apollo}, 1, 'weld', null, null),
    (3, ${apollo}, 1, 'paint', 3, false), (4, ${gemini}, null, 'dock', 2, true)`;
  await rest.sql`insert into public.details values (${apollo}, 'eleven')`;
  await rest.sql`insert into public.project_labels values (${apollo}, 1), (${apollo}, 2), (${gemini}, 1)`;
  await rest.sql`update public.projects set span = '[1,5)', words = to_tsvector('fly to the moon') where name = 'apollo'`;
}
