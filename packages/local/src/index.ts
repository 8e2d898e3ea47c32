export { bootstrap } from "./bootstrap.ts";
export type { FunctionChange } from "./functions/index.ts";
export { MigrationError, migrate } from "./migrations.ts";
export { type Postgres, type PostgresOptions, startPostgres } from "./postgres/index.ts";
export { readProjectConfig } from "./project-config.ts";
export { type Stack, StackInUseError, type StackOptions, startStack } from "./stack.ts";
export { watchMigrations } from "./watch-migrations.ts";
