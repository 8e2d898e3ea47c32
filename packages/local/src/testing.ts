import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inject } from "vitest";
import { randomText } from "./random.ts";
import {
  addProjectTemplate,
  cloneDatabase,
  type RunningTestCluster,
  startTestCluster,
  type TestDatabase,
} from "./test-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test file asks for the run's cluster. */
    testClusterUrl: string;
  }
}

/** For vitest's `globalSetup`: one cluster a run, started when the first test file asks for it. */
export interface TestClusterServer {
  /** To be provided as `testClusterUrl`. */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves the URLs of a cluster, at `/platform` or, with the migrations of `folder`, at `/project`; only to who knows the
 * secret first part of the path.
 */
export async function serveTestCluster(folder: string): Promise<TestClusterServer> {
  let platform: Promise<RunningTestCluster> | undefined;
  let project: Promise<RunningTestCluster> | undefined;
  const path = `/${randomText(40)}`;
  const addProject = async (cluster: RunningTestCluster) => {
    await addProjectTemplate(cluster, folder);
    return cluster;
  };
  const server = createServer(async (request, response) => {
    try {
      if (request.url?.startsWith(`${path}/`)) platform ??= startTestCluster();
      if (request.url === `${path}/project`) project ??= platform?.then(addProject);
      const ready = request.url === `${path}/project` ? project : platform;
      if (ready === undefined) {
        response.writeHead(404).end();
        return;
      }
      const { superuser, owner } = await ready;
      response.end(JSON.stringify({ superuser, owner }));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await project?.catch(() => {});
      const cluster = await platform?.catch(() => undefined);
      await cluster?.stop();
    },
  };
}

/**
 * A database for one test file, with the project's migrations unless `migrations` is false. Call it in `beforeAll` and
 * `drop()` it in `afterAll`. Only inside vitest with the repository's `globalSetup`.
 */
export async function createTestDatabase(options: { migrations?: boolean } = {}): Promise<TestDatabase> {
  const template = options.migrations === false ? "platform" : "project";
  const answer = await fetch(`${inject("testClusterUrl")}/${template}`);
  if (!answer.ok) throw new Error(`the test cluster did not start: ${await answer.text()}`);
  const cluster = (await answer.json()) as { superuser: string; owner: string };
  return cloneDatabase(cluster, template);
}
