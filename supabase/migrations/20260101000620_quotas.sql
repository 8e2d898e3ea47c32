-- How many jobs a user may make. Nothing here costs anything where no limit is set, which is how it begins.

alter table podbase_private.settings
  -- New jobs of one user in any 60 seconds, and unfinished jobs of one user. Null: no limit.
  add column max_jobs_per_minute int check (max_jobs_per_minute > 0),
  add column max_open_jobs int check (max_open_jobs > 0);

-- Null: as podbase_private.settings says. A very big number: no limit for this user.
alter table podbase_private.user_limits
  add column max_jobs_per_minute int check (max_jobs_per_minute > 0),
  add column max_open_jobs int check (max_open_jobs > 0);

-- Jobs of users with a limit of open jobs that may still be open: written when a job is made, and cleared of finished
-- ones only when the limit seems reached, so that it never holds more rows of a user than the highest limit they had. An
-- index on podbase.jobs instead would make the update that ends a job a dearer one for everybody
-- (postgresql.org/docs/17/storage-hot.html).
create table podbase_private.counted_jobs (
  user_id uuid not null references auth.users (id) on delete cascade,
  job_id uuid not null,
  primary key (user_id, job_id)
);
alter table podbase_private.counted_jobs enable row level security;

-- Refuses jobs that were just made in this transaction, and so undoes it, when their user has made too many:
--   PB008 (too fast): over max_jobs_per_minute in the 60 s up to now; detail: seconds until as many may be made
--   PB009 (too many at once): over max_open_jobs that are not finished; detail: seconds, a guess
-- Without a detail: more in one call than will ever be allowed. Only new jobs are given here, so a repeated idempotency
-- key is never refused.
-- Exact for the rate: transactions of one user with a limit queue up behind a lock of that user until they end, and each
-- counts what the ones before committed. For open jobs too, except that jobs made before there was a limit, and finished
-- ones that were opened again by a retry, may be missing from the count; it never counts too many.
-- Cost: one look at two small tables without a limit; else a range of an index, at most as long as the limit.
create function podbase_private.check_quota(p_user uuid, p_jobs uuid[]) returns void
language plpgsql set search_path = '' as $$
declare
  v_rate int;
  v_open int;
  v_now timestamptz := podbase_private.now();
  v_first timestamptz;
begin
  select coalesce(u.max_jobs_per_minute, s.max_jobs_per_minute), coalesce(u.max_open_jobs, s.max_open_jobs)
    into v_rate, v_open
    from podbase_private.settings s left join podbase_private.user_limits u on u.user_id = p_user
    where s.single;
  if v_rate is null and v_open is null then return; end if;
  perform pg_catalog.pg_advisory_xact_lock(hashtextextended('podbase.quota ' || p_user, 0));

  if v_rate is not null then
    -- The newest job beyond the limit, the new ones counted: when it is a minute old there is room for them.
    select j.created_at into v_first from podbase.jobs j
      where j.user_id = p_user and j.created_at > v_now - interval '60 s'
      order by j.created_at desc offset v_rate limit 1;
    if found then
      raise exception '%', format('at most %s new jobs a minute', v_rate) using errcode = 'PB008',
        detail = case when cardinality(p_jobs) > v_rate then ''
          else ceil(extract(epoch from v_first + interval '60 s' - v_now))::int::text end;
    end if;
  end if;

  if v_open is not null then
    insert into podbase_private.counted_jobs (user_id, job_id) select p_user, unnest(p_jobs);
    if podbase_private.counted_over(p_user, v_open) then
      delete from podbase_private.counted_jobs c where c.user_id = p_user
        and not exists (select from podbase.jobs j where j.id = c.job_id and j.finished_at is null);
      if podbase_private.counted_over(p_user, v_open) then
        raise exception '%', format('at most %s unfinished jobs at once', v_open) using errcode = 'PB009',
          detail = case when cardinality(p_jobs) > v_open then '' else '60' end;
      end if;
    end if;
  end if;
end $$;

-- Whether more than p_max jobs are counted for the user.
create function podbase_private.counted_over(p_user uuid, p_max int) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from podbase_private.counted_jobs where user_id = p_user order by job_id offset p_max limit 1);
end $$;

-- check_quota() for new jobs of any users. The users in order, so that two such calls never wait for each other.
create function podbase_private.check_quotas(p_jobs uuid[]) returns void
language plpgsql set search_path = '' as $$
declare
  v_user uuid;
  v_jobs uuid[];
begin
  for v_user, v_jobs in
    select user_id, array_agg(id) from podbase.jobs where id = any (p_jobs) group by user_id order by user_id
  loop
    perform podbase_private.check_quota(v_user, v_jobs);
  end loop;
end $$;
