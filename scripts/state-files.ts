import type { Sql } from "postgres";

/** A file that follows from the database, by its path from the repository's root. */
export type GeneratedFiles = Record<"packages/core/src/states.ts" | "docs/states.md", string>;

const MACHINES = [
  ["job", "podbase.job_status", "JobStatus", "Status of a job"],
  ["task", "podbase.task_status", "TaskStatus", "Status of a task"],
  ["attempt", "podbase_private.attempt_state", "AttemptState", "State of one try at RunPod"],
] as const;

/** Renders the unions and diagrams of the state machines as the enums and transition tables of a migrated database say. */
export async function renderStateFiles(sql: Sql): Promise<GeneratedFiles> {
  const values = async (type: string): Promise<string[]> => {
    const rows = await sql<{ value: string }[]>`
      select enumlabel as value from pg_enum where enumtypid = ${type}::regtype order by enumsortorder`;
    return rows.map((row) => row.value);
  };
  const unions = [];
  const diagrams = [];
  for (const [machine, type, name, meaning] of MACHINES) {
    const states = await values(type);
    const moves = await sql<{ from: string; to: string }[]>`
      select from_state::text as from, to_state::text as to
      from ${sql(`podbase_private.${machine}_transitions`)} order by from_state, to_state`;
    unions.push(union(name, `${meaning}. The values of the enum \`${type}\`.`, states));
    diagrams.push(
      `## ${machine[0]?.toUpperCase()}${machine.slice(1)}\n\n\`\`\`mermaid\nstateDiagram-v2\n` +
        `${moves.map(({ from, to }) => `  ${from} --> ${to}`).join("\n")}\n\`\`\`\n\n` +
        `Without a way out: ${states.filter((state) => !moves.some(({ from }) => from === state)).join(", ")}.\n`,
    );
  }
  unions.push(
    union(
      "Phase",
      "What to tell the person who waits. The values of the enum `podbase.phase`.",
      await values("podbase.phase"),
    ),
  );
  return {
    "packages/core/src/states.ts": `// Made by scripts/generate-states.ts from the database; changes belong into supabase/migrations.\n\n${unions.join(
      "\n\n",
    )}\n\n${PROVIDER_STATUS}`,
    "docs/states.md": `${HEAD}\n${diagrams.join("\n")}`,
  };
}

/** As biome formats it: on one line if that has room. */
function union(name: string, comment: string, values: string[]): string {
  const line = `export type ${name} = ${values.map((value) => JSON.stringify(value)).join(" | ")};`;
  const text =
    line.length <= 110
      ? line
      : `export type ${name} =\n${values.map((value) => `  | ${JSON.stringify(value)}`).join("\n")};`;
  return `/** ${comment} */\n${text}`;
}

const PROVIDER_STATUS = `/** States that RunPod reports, \`NOT_FOUND\` standing for its 404 (docs.runpod.io/serverless/endpoints/job-states). */
export type ProviderStatus =
  | "IN_QUEUE"
  | "IN_PROGRESS"
  | "RUNNING"
  | "COMPLETED"
  | "FAILED"
  | "CANCELLED"
  | "TIMED_OUT"
  | "NOT_FOUND";
`;

const HEAD = `# States

Made by \`npx tsx scripts/generate-states.ts\` from the transition tables of \`supabase/migrations\`. The database refuses every
other move with SQLSTATE \`PB004\`.

A job's status follows from its tasks, in the same transaction. What failed or was canceled leaves that state only when a
person asks for a retry. An attempt that has ended in any other way can still complete while its task is open, because
its work is paid.

A task's \`submitPolicy\` is about doubt only: whether work that RunPod may or may not have done is bought again. Under
\`at_most_once\` an attempt that ends in doubt (\`submit_unknown\` to the end of its ttl, or \`lost\`) is never tried again but by a
person. An end that RunPod told (FAILED, TIMED_OUT, a refused POST) leaves no doubt, so it is tried again as its failure class
and \`maxAttempts\` say; \`maxAttempts: 1\` buys once whatever happens. Nor does a claim that ran out before it was told that its
POST is about to be made (\`posting\`), as only \`at_most_once\` asks for. An attempt that was superseded without its RunPod id
being known is canceled at RunPod as soon as a report or a late answer tells the id.
`;
