/** Starts Postgres on the folder it is given, says how to reach it, and holds it until it is killed. */
import { bootstrap } from "../../src/bootstrap.ts";
import { startPostgres } from "../../src/postgres/index.ts";

const server = await startPostgres({ dataDir: process.argv[2] as string });
await bootstrap(server);
console.log(JSON.stringify({ ownerUrl: server.ownerUrl }));
setInterval(() => {}, 1000);
