import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { serveTestCluster } from "../packages/local/src/testing.ts";

/** One Postgres a run, with the repository's migrations; it starts when the first test file asks for a database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await serveTestCluster(fileURLToPath(new URL("../supabase/migrations", import.meta.url)));
  project.provide("testClusterUrl", cluster.url);
  return () => cluster.close();
}
