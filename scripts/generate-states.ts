/** Writes packages/core/src/states.ts and docs/states.md anew from the migrations. A test fails when they are behind. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { cloneDatabase, startTestCluster } from "../packages/local/src/test-cluster.ts";
import { renderStateFiles } from "./state-files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const cluster = await startTestCluster({ migrations: `${ROOT}supabase/migrations` });
try {
  const database = await cloneDatabase(cluster, "project");
  const sql = postgres(database.superuserUrl, { max: 1 });
  for (const [path, text] of Object.entries(await renderStateFiles(sql))) {
    await writeFile(`${ROOT}${path}`, text);
  }
  await sql.end();
} finally {
  await cluster.stop();
}
