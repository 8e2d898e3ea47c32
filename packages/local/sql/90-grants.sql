-- What must come after the services' own objects.

-- The schemas belong to the platform, not to the services, so `supabase db reset` leaves them alone, and `postgres`,
-- which is a member of two of the services' roles (00-roles.sql), can make nothing in them.
do $$
declare
  service text;
begin
  foreach service in array '{auth,storage,realtime}'::text[] loop
    execute format('alter schema %I owner to supabase_admin', service);
    execute format('revoke all on schema %I from supabase_%s_admin, postgres', service, service);
    execute format('grant usage on schema %I to supabase_%s_admin, dashboard_user', service, service);
    execute format('grant usage on schema %I to postgres with grant option', service);
    execute format('grant usage on schema %I to anon, authenticated, service_role', service);
  end loop;
end
$$;

-- Tables and functions that services made as `supabase_admin` are readable for people and dashboards.
grant all on all tables in schema auth to postgres, dashboard_user;
grant all on all sequences in schema auth to postgres, dashboard_user;
grant all on all routines in schema auth to postgres, dashboard_user;
grant all on all tables in schema realtime to dashboard_user;
grant all on all tables in schema extensions to postgres with grant option;
grant all on all routines in schema extensions to postgres with grant option;

-- PostgREST is told of every change of the schema (supabase/postgres, pgrst_ddl_watch and pgrst_drop_watch).
create function extensions.pgrst_ddl_watch() returns event_trigger
  language plpgsql set search_path = '' as
$$
begin
  if exists (
    select from pg_event_trigger_ddl_commands() as command
    where command.schema_name is distinct from 'pg_temp'
      and command.command_tag ~ '^((CREATE|ALTER) (SCHEMA|TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|TYPE)|CREATE TABLE AS|SELECT INTO|CREATE TRIGGER|CREATE RULE|COMMENT)$'
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create function extensions.pgrst_drop_watch() returns event_trigger
  language plpgsql set search_path = '' as
$$
begin
  if exists (
    select from pg_event_trigger_dropped_objects() as dropped
    where not dropped.is_temporary
      and dropped.object_type in
        ('schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger', 'type', 'rule')
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
