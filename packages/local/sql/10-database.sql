-- Schemas, extensions and publications that a hosted project has before any service starts.
-- `auth` and `storage` are made by the files of those services.

alter database postgres owner to postgres;

-- Since 30 October 2026 nothing new in `public` is granted to the API roles: a migration grants what it means to.
-- https://github.com/orgs/supabase/discussions/45329
grant usage on schema public to anon, authenticated, service_role;

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;

create schema realtime;
create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;

create schema vault;
create extension supabase_vault with schema vault;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
