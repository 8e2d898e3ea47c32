-- Roles of a hosted project (supabase/postgres, migrations/db). Passwords are set by `bootstrap`.
-- `supabase_admin` is the cluster's superuser; `postgres`, which migrations run as, is not one.

create role postgres login createdb createrole replication bypassrls;
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit createrole;
create role supabase_storage_admin login noinherit createrole;
create role supabase_realtime_admin nologin noinherit;
create role supabase_functions_admin login noinherit createrole;
create role supabase_replication_admin login replication;
create role supabase_read_only_user login bypassrls;
create role dashboard_user nologin createdb createrole replication;
create role pgbouncer login;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant authenticator to supabase_storage_admin;
grant pg_read_all_data to supabase_read_only_user;
grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_create_subscription to postgres;

-- The platform's supautils lets `postgres` create policies on storage.objects and realtime.messages, which it does not
-- own. Plain Postgres knows only ownership for that, so here `postgres` is a member of the owners.
grant supabase_storage_admin, supabase_realtime_admin to postgres;

alter role postgres set search_path to "$user", public, extensions;
alter role supabase_auth_admin set search_path to auth;
alter role supabase_storage_admin set search_path to storage;

-- https://supabase.com/docs/guides/database/postgres/timeouts
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set statement_timeout = '2min';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
alter role supabase_read_only_user set default_transaction_read_only = on;
