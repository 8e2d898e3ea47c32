export { type Postgres, type PostgresOptions, startPostgres } from "./cluster.ts";
