-- Stand-in for pg_cron 1.6 (github.com/citusdata/pg_cron): the same tables, policies, functions and checks.
-- Jobs are run by Podbase's cron worker. Functions below are invoker's so that `current_user` is the caller, as the
-- real extension sees it; only what writes cron.job is definer's.
create schema cron;
create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

alter table cron.job enable row level security;
alter table cron.job_run_details enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
grant select on cron.job to public;
grant select, delete on cron.job_run_details to public;
grant select on sequence cron.jobid_seq, cron.runid_seq to public;

-- Tells the cron worker to read the jobs again.
create function cron.job_cache_invalidate() returns trigger
  language plpgsql set search_path = '' as
$$
begin
  perform pg_notify('pg_cron', '');
  return null;
end
$$;
create trigger cron_job_cache_invalidate after insert or update or delete or truncate on cron.job
  for each statement execute function cron.job_cache_invalidate();

-- One field of a crontab line: a list of numbers, names, ranges and `*`, the last two with an optional step.
create function cron._is_field(field text, low int, high int, names text[] default '{}') returns boolean
  language plpgsql immutable set search_path = '' as
$$
declare
  part text;
  bounds text[];
  bound text;
  value int;
  previous int;
begin
  foreach part in array string_to_array(lower(field), ',') loop
    bounds := regexp_match(part, '^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,3}))?$');
    if bounds is null or bounds[3]::int = 0
      or (bounds[3] is not null and bounds[1] is not null and bounds[2] is null)
    then
      return false;
    end if;
    previous := null;
    foreach bound in array bounds[1:2] loop
      continue when bound is null;
      value := case
        when bound ~ '^[0-9]{1,2}$' then bound::int
        else low - 1 + array_position(names, bound)
      end;
      if value is null or value < low or value > high or value < previous then
        return false;
      end if;
      previous := value;
    end loop;
  end loop;
  return coalesce(field, '') <> '';
end
$$;

create function cron._check_schedule(schedule text) returns void
  language plpgsql immutable set search_path = '' as
$$
declare
  fields text[] := regexp_split_to_array(btrim(schedule), '\s+');
begin
  if btrim(schedule) ~* '^([1-9]|[1-5][0-9]) +seconds?$'
    or btrim(schedule) ~* '^@(reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)$'
  then
    return;
  end if;
  if cardinality(fields) = 5
    and cron._is_field(fields[1], 0, 59)
    and cron._is_field(fields[2], 0, 23)
    -- `$` is pg_cron's last day of the month.
    and (fields[3] = '$' or cron._is_field(fields[3], 1, 31))
    and cron._is_field(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}')
    and cron._is_field(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}')
  then
    return;
  end if;
  raise exception 'invalid schedule: %', schedule
    using errcode = '22023',
          hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
end
$$;

create function cron._put_job(
  job_name text, schedule text, command text, database text, caller text, active boolean
) returns bigint
  language plpgsql security definer set search_path = '' as
$$
#variable_conflict use_variable
declare
  job_id bigint;
begin
  perform cron._check_schedule(schedule);
  if not has_database_privilege(caller, database, 'connect') then
    raise exception 'User % does not have CONNECT privilege on %', caller, database;
  end if;
  insert into cron.job as job (schedule, command, database, username, active, jobname)
  values (schedule, command, database, caller, active, job_name)
  on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule, command = excluded.command, database = excluded.database
  returning job.jobid into job_id;
  return job_id;
end
$$;

create function cron.schedule(schedule text, command text) returns bigint
  language sql strict as
$$ select cron._put_job(null, schedule, command, current_database(), current_user, true) $$;

create function cron.schedule(job_name text, schedule text, command text) returns bigint
  language plpgsql as
$$
begin
  if job_name is null then
    raise exception 'job_name can not be NULL';
  elsif schedule is null then
    raise exception 'schedule can not be NULL';
  elsif command is null then
    raise exception 'command can not be NULL';
  end if;
  return cron._put_job(job_name, schedule, command, current_database(), current_user, true);
end
$$;

create function cron.schedule_in_database(
  job_name text, schedule text, command text, database text, username text default null, active boolean default true
) returns bigint
  language plpgsql as
$$
begin
  if username is not null and not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    raise exception 'must be superuser to create a job for another role';
  end if;
  return cron._put_job(job_name, schedule, command, database, coalesce(username, current_user), active);
end
$$;

create function cron._delete_job(job_id bigint, job_name text, caller text) returns boolean
  language plpgsql security definer set search_path = '' as
$$
begin
  delete from cron.job
  where (jobid = job_id or jobname = job_name)
    and (username = caller or (select rolsuper from pg_catalog.pg_roles where rolname = caller));
  if not found then
    raise exception 'could not find valid entry for job ''%''', coalesce(job_name, job_id::text);
  end if;
  return true;
end
$$;

create function cron.unschedule(job_id bigint) returns boolean
  language sql strict as
$$ select cron._delete_job(job_id, null, current_user) $$;

create function cron.unschedule(job_name text) returns boolean
  language sql strict as
$$ select cron._delete_job(null, job_name, current_user) $$;

create function cron._alter_job(
  job_id bigint, schedule text, command text, database text, username text, active boolean, caller text
) returns void
  language plpgsql security definer set search_path = '' as
$$
#variable_conflict use_variable
declare
  is_superuser boolean := (select rolsuper from pg_catalog.pg_roles where rolname = caller);
begin
  if schedule is not null then
    perform cron._check_schedule(schedule);
  end if;
  if username is not null and not is_superuser then
    raise exception 'must be superuser to alter username';
  end if;
  update cron.job as job
  set schedule = coalesce(schedule, job.schedule),
      command = coalesce(command, job.command),
      database = coalesce(database, job.database),
      username = coalesce(username, job.username),
      active = coalesce(active, job.active)
  where job.jobid = job_id and (job.username = caller or is_superuser);
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end
$$;

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
  language sql as
$$ select cron._alter_job(job_id, schedule, command, database, username, active, current_user) $$;

revoke all on function cron.alter_job, cron.schedule_in_database from public;

-- What a hosted project grants when the extension arrives: jobs may be read but are written by the functions.
grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on table cron.job_run_details to postgres with grant option;
grant select on table cron.job to postgres with grant option;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');
