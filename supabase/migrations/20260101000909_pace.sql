-- Soft deadlines: what runs longer than its like usually does is told so, and goes on.

-- How long the tasks of a route lately ran, kept for ten minutes; null without enough of them.
create table podbase_private.route_pace (
  route text primary key,
  at timestamptz not null,
  run_p90_ms double precision
) with (fillfactor = 50);
alter table podbase_private.route_pace enable row level security;
revoke all on podbase_private.route_pace from public, anon, authenticated, service_role;

-- The time in which nine of ten tasks of a route are done, in ms, at least 10 s: the longer one of cold and warm
-- starts. Half of the endpoint's execution timeout when too few have run to tell.
create function podbase_private.pace(p_route text, p_execution_timeout_ms int) returns double precision
language plpgsql volatile set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_pace podbase_private.route_pace;
begin
  select * into v_pace from podbase_private.route_pace where route = p_route;
  if v_pace.route is null or v_pace.at not between v_now - interval '10 minutes' and v_now then
    v_pace.run_p90_ms := (
      select max((x.value ->> 'runP90')::double precision)
      from jsonb_each(podbase_private.route_timings(p_route)) x
      where jsonb_typeof(x.value) = 'object' and (x.value ->> 'samples')::int >= 5);
    insert into podbase_private.route_pace values (p_route, v_now, v_pace.run_p90_ms)
    on conflict (route) do update set at = excluded.at, run_p90_ms = excluded.run_p90_ms;
  end if;
  return greatest(10000, coalesce(v_pace.run_p90_ms, p_execution_timeout_ms / 2.0));
end $$;

-- Gives running tasks that are slower than usual a notice: still_working beyond their route's pace, slower_than_usual
-- beyond twice that. At most 50 jobs of a route at a time. Never changes a status.
-- Caller: tick(). Locks: jobs that nobody else holds.
create function podbase_private.notice_slow() returns int
language plpgsql set search_path = '' as $$
declare
  v_lane record;
  v_job record;
  v_running uuid[];
  v_pace interval;
  v_now timestamptz := podbase_private.now();
  v_told int := 0;
begin
  for v_lane in
    select r.route, e.name, e.max_in_flight, e.execution_timeout_ms
    from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint
    order by r.route, r.position
  loop
    select array_agg(s.id) filter (where s.state = 'in_progress' and s.started_at < v_now - interval '10 s')
      into v_running from podbase_private.live_sample(v_lane.name, v_lane.max_in_flight) s;
    continue when v_running is null;
    v_pace := podbase_private.pace(v_lane.route, v_lane.execution_timeout_ms) * interval '1 ms';
    for v_job in
      select t.job_id as id, slow.code, array_agg(t.id) as tasks
      from unnest(v_running) as x (id)
      join podbase_private.attempts a on a.id = x.id
      cross join lateral (select case when a.started_at < v_now - 2 * v_pace then 'slower_than_usual'
                                      when a.started_at < v_now - v_pace then 'still_working' end) as slow (code)
      join podbase_private.task_schedule s on s.task_id = a.task_id
      join podbase.tasks t on t.id = a.task_id
      where slow.code is not null and s.route = v_lane.route and t.phase = 'running'
        and t.notice ->> 'code' is distinct from slow.code
      group by t.job_id, slow.code order by t.job_id limit 50
    loop
      v_told := v_told + podbase_private.renotice(v_job.id, v_job.tasks, 'running', v_job.code, 'clock');
    end loop;
  end loop;
  return v_told;
end $$;
