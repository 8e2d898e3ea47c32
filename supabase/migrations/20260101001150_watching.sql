-- What an app asks for while its user watches: jobs by id or by what is new, "seen", and how long it may still take.
-- After the policies, which revoke everything first: what is opened here is granted here.

-- Jobs with their tasks and artifacts in one snapshot, newest first. By id, or else the newest: of these statuses only,
-- or only those that the owner's app has not shown at their end yet (open ones included). At most 1,000. RLS decides
-- whose. Ids of no job of the caller's are left out. Caller: authenticated.
create function podbase.find_jobs(
  ids uuid[] default null, statuses podbase.job_status[] default null, unseen boolean default false,
  max_jobs int default 50
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  v_ids uuid[] := ids;
  v_jobs jsonb;
begin
  if v_ids is null then
    v_ids := array(
      select j.id from podbase.jobs j
      where (statuses is null or j.status = any (statuses))
        and (not unseen or j.finished_at is null or j.seen_at is null or j.seen_at < j.finished_at)
      order by j.created_at desc, j.id limit greatest(0, least(max_jobs, 1000)));
  end if;
  select coalesce(jsonb_agg(to_jsonb(j) || jsonb_build_object(
    'tasks', (select coalesce(jsonb_agg(to_jsonb(t) order by t.created_at, t.name), '[]')
              from podbase.tasks t where t.job_id = j.id),
    'artifacts', (select coalesce(jsonb_agg(to_jsonb(a) order by a.created_at, a.name), '[]')
                  from podbase.artifacts a where a.job_id = j.id)) order by j.created_at desc, j.id), '[]')
    into v_jobs
  from podbase.jobs j where j.id = any (v_ids[:1000]);
  return v_jobs;
end $$;

-- Anybody's jobs, newest first: of these ids, at most 1,000, or else the newest p_max_jobs; of these statuses only, if
-- any. Ids of no job are left out. Caller: service_role.
create function podbase_private.operator_find_jobs(
  p_ids uuid[], p_statuses podbase.job_status[], p_max_jobs int
) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(podbase_private.job_json(found.id) order by found.created_at desc, found.id), '[]')
  from (
    select j.id, j.created_at from podbase.jobs j
    where (p_ids is null or j.id = any (p_ids)) and (p_statuses is null or j.status = any (p_statuses))
    order by j.created_at desc, j.id
    limit case when p_ids is null then greatest(0, least(p_max_jobs, 1000)) else 1000 end
  ) found;
$$;

-- As podbase_private.operator_find_jobs. Caller: service_role.
create function podbase.operator_find_jobs(
  ids uuid[] default null, statuses podbase.job_status[] default null, max_jobs int default 50
) returns jsonb
language sql stable set search_path = '' as $$
  select podbase_private.operator_find_jobs(ids, statuses, max_jobs)
$$;

-- Notes that the owner's app has shown a job at its end; an open job stays unseen. No version: nothing of the job
-- changed, and it emits nothing. Returns the job. SQLSTATE PB005 when the caller has no such job. Caller: authenticated.
-- Locks: the job's row.
create function podbase_private.mark_seen(p_job uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform podbase_private.find_job(p_job, null, true);
  update podbase.jobs set seen_at = podbase_private.now()
    where id = p_job and finished_at is not null and (seen_at is null or seen_at < finished_at);
  return podbase_private.job_json(p_job);
end $$;

-- As podbase_private.mark_seen. SQLSTATE PB005. Caller: authenticated.
create function podbase.mark_seen(job_id uuid) returns jsonb
language sql set search_path = '' as $$ select podbase_private.mark_seen(job_id) $$;

-- For the newest attempts of an endpoint. On created_at, which never changes, so that it costs an attempt one entry.
create index attempts_newest on podbase_private.attempts (endpoint, created_at desc);

-- How long tasks of a route lately waited at RunPod and ran: {now: cold | warm, cold?, warm?}, each of the two
-- {samples, waitP50, waitP90, runP50, runP90} in ms, from the newest 300 attempts of each of its endpoints. An attempt
-- was warm if, when it was sent, another one of its endpoint was running or had ended less than 10 s before: RunPod tells
-- no worker's age, and keeps an idle worker for 5 s unless told otherwise (docs.runpod.io/serverless/endpoints). What is
-- said to have taken over 24 days counts as that: no job lives so long, and times must stay what they can be.
create function podbase_private.route_timings(p_route text) returns jsonb
language sql stable security definer set search_path = '' as $$
  with recent as materialized (
    select a.state, a.finished_at, a.delay_ms, a.execution_ms, s.route,
      coalesce(max(a.finished_at) over (
        partition by a.endpoint order by a.created_at rows between unbounded preceding and 1 preceding
      ) > a.created_at - interval '10 s', false) as warm
    from podbase_private.routes r
    cross join lateral (
      select * from podbase_private.attempts where endpoint = r.endpoint order by created_at desc limit 300
    ) a
    join podbase_private.task_schedule s on s.task_id = a.task_id
    where r.route = p_route
  ), timed as (
    select case when warm then 'warm' else 'cold' end as class, jsonb_build_object(
      'samples', count(*),
      'waitP50', round(percentile_cont(0.5) within group (order by least(delay_ms, 2073600000))),
      'waitP90', round(percentile_cont(0.9) within group (order by least(delay_ms, 2073600000))),
      'runP50', round(percentile_cont(0.5) within group (order by least(execution_ms, 2073600000))),
      'runP90', round(percentile_cont(0.9) within group (order by least(execution_ms, 2073600000)))) as times
    from recent
    where route = p_route and state = 'completed' and delay_ms is not null and execution_ms is not null
    group by warm
  )
  select jsonb_build_object('now', case when exists (
      select from recent where state = 'in_progress' or finished_at > podbase_private.now() - interval '10 s'
    ) then 'warm' else 'cold' end) || coalesce((select jsonb_object_agg(class, times) from timed), '{}');
$$;

-- When the caller's job may be done, from how long its routes lately took and what has to wait for a time:
--   {now, likely, latest: times by the 50th and 90th percentiles, null without history, tasks: {name: {likely, latest,
--    cold, samples, waitP50, waitP90, runP50, runP90}}}
-- Only open tasks with history are in it. A percentile that has already passed counts as now, so an estimate never lies in
-- the past. SQLSTATE PB005 when the caller has no such job. Caller: authenticated.
create function podbase_private.estimate(p_job uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_task record;
  v_times jsonb;
  v_routes jsonb := '{}';
  v_likely jsonb := '{}';
  v_latest jsonb := '{}';
  v_tasks jsonb := '{}';
  v_known boolean := true;
  v_spent numeric;
  v_from timestamptz;
  v_until timestamptz;
begin
  perform podbase_private.find_job(p_job, null, true);
  for v_task in
    with recursive depths as (
      select s.task_id, t.name, 0 as depth from podbase_private.task_schedule s
      join podbase.tasks t on t.id = s.task_id where t.job_id = p_job
      union
      select s.task_id, t.name, d.depth + 1 from depths d
      join podbase_private.task_schedule s on d.name = any (s.after)
      join podbase.tasks t on t.id = s.task_id where t.job_id = p_job
    )
    select t.name, t.phase, s.route, s.after, s.run_at, a.created_at as sent_at, a.started_at
    from podbase.tasks t
    join podbase_private.task_schedule s on s.task_id = t.id
    join (select task_id, max(depth) as depth from depths group by task_id) d on d.task_id = t.id
    left join podbase_private.attempts a on a.task_id = t.id and a.next_check_at is not null
    where t.job_id = p_job and t.finished_at is null
    order by d.depth
  loop
    -- Once for all items of a map.
    if not v_routes ? v_task.route then
      v_routes := v_routes || jsonb_build_object(v_task.route, podbase_private.route_timings(v_task.route));
    end if;
    v_times := v_routes -> v_task.route;
    v_times := jsonb_build_object('cold', v_times ->> 'now' = 'cold')
      || coalesce(v_times -> (v_times ->> 'now'), v_times -> 'cold', v_times -> 'warm', '{}');
    if not v_times ? 'samples' then
      v_known := false;
      continue;
    end if;
    -- Upstream tasks that are done are in neither list.
    select greatest(v_now, max((v_likely ->> u)::timestamptz)), greatest(v_now, max((v_latest ->> u)::timestamptz))
      into v_from, v_until from unnest(v_task.after) u;
    v_from := greatest(v_now, v_from, v_task.run_at);
    v_until := greatest(v_now, v_until, v_task.run_at);
    v_spent := 1000 * extract(epoch from v_now - case when v_task.phase = 'running' then v_task.started_at
                                                      else v_task.sent_at end);
    if v_task.phase = 'running' and v_task.started_at is not null then
      v_from := v_from + interval '1 ms' * greatest(0, (v_times ->> 'runP50')::numeric - v_spent);
      v_until := v_until + interval '1 ms' * greatest(0, (v_times ->> 'runP90')::numeric - v_spent);
    else
      v_from := v_from + interval '1 ms' * (greatest(0, (v_times ->> 'waitP50')::numeric - coalesce(v_spent, 0))
        + (v_times ->> 'runP50')::numeric);
      v_until := v_until + interval '1 ms' * (greatest(0, (v_times ->> 'waitP90')::numeric - coalesce(v_spent, 0))
        + (v_times ->> 'runP90')::numeric);
    end if;
    v_likely := v_likely || jsonb_build_object(v_task.name, v_from);
    v_latest := v_latest || jsonb_build_object(v_task.name, v_until);
    v_tasks := v_tasks
      || jsonb_build_object(v_task.name, v_times || jsonb_build_object('likely', v_from, 'latest', v_until));
  end loop;
  return jsonb_build_object('now', v_now, 'tasks', v_tasks,
    'likely', case when v_known then (select max(value::timestamptz) from jsonb_each_text(v_likely)) end,
    'latest', case when v_known then (select max(value::timestamptz) from jsonb_each_text(v_latest)) end);
end $$;

-- As podbase_private.estimate. SQLSTATE PB005. Caller: authenticated.
create function podbase.estimate(job_id uuid) returns jsonb
language sql stable set search_path = '' as $$ select podbase_private.estimate(job_id) $$;

revoke all on function podbase.find_jobs(uuid[], podbase.job_status[], boolean, int),
  podbase.operator_find_jobs(uuid[], podbase.job_status[], int),
  podbase_private.operator_find_jobs(uuid[], podbase.job_status[], int),
  podbase.mark_seen(uuid), podbase_private.mark_seen(uuid), podbase.estimate(uuid), podbase_private.estimate(uuid),
  podbase_private.route_timings(text)
  from public, anon, authenticated, service_role;
grant execute on function podbase.find_jobs(uuid[], podbase.job_status[], boolean, int),
  podbase.mark_seen(uuid), podbase_private.mark_seen(uuid), podbase.estimate(uuid), podbase_private.estimate(uuid)
  to authenticated;
grant execute on function podbase.operator_find_jobs(uuid[], podbase.job_status[], int),
  podbase_private.operator_find_jobs(uuid[], podbase.job_status[], int) to service_role;
