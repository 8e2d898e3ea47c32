/** `npm run generate:types`: writes the types of schema `podbase` anew from the migrations. A test fails when they are behind. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { cloneDatabase, startTestCluster } from "../packages/local/src/test-cluster.ts";
import { DATABASE_TYPES, renderDatabaseTypes } from "./database-types.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const cluster = await startTestCluster({ migrations: `${ROOT}supabase/migrations` });
try {
  const { ownerUrl } = await cloneDatabase(cluster, "project");
  await writeFile(`${ROOT}${DATABASE_TYPES}`, await renderDatabaseTypes(ownerUrl));
} finally {
  await cluster.stop();
}
