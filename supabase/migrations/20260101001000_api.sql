-- What may be called through the API: invoker wrappers over the definer functions of podbase_private. Their contracts
-- stand at those functions.

create function podbase.submit_job(request jsonb) returns jsonb
language sql set search_path = '' as $$ select podbase_private.submit_job(request) $$;

create function podbase.claim_tasks(max_tasks int default 50) returns jsonb
language sql set search_path = '' as $$ select podbase_private.claim(max_tasks) $$;

create function podbase.record_submissions(results jsonb) returns int
language sql set search_path = '' as $$ select podbase_private.record_submissions(results) $$;

create function podbase.record_report(report jsonb) returns jsonb
language sql set search_path = '' as $$ select podbase_private.record_report(report) $$;

create function podbase.claim_polls(max_polls int default 50) returns jsonb
language sql set search_path = '' as $$ select podbase_private.claim_polls(max_polls) $$;

create function podbase.claim_cancels(max_cancels int default 50) returns jsonb
language sql set search_path = '' as $$ select podbase_private.claim_cancels(max_cancels) $$;

create function podbase.record_cancels(attempts uuid[]) returns int
language sql set search_path = '' as $$ select podbase_private.record_cancels(attempts) $$;

-- Sets endpoints and routes from one document: {endpoints: {name: {providerId, maxInFlight?, executionTimeoutMs?,
-- ttlMs?, firstPollMs?, maxPollMs?, evidenceWindowMs?, enabled?}}, routes: {route: [endpoint name, …]}}.
-- Named endpoints are made or changed, named routes are replaced, what is not named stays. Values out of range raise
-- 23514, an unknown endpoint in a route 23503. Caller: service_role.
create function podbase_private.configure(config jsonb) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into podbase_private.endpoints as e (name, provider_id, enabled, max_in_flight, execution_timeout_ms, ttl_ms,
    first_poll_ms, max_poll_ms, evidence_window_ms)
  select key, value ->> 'providerId', coalesce((value ->> 'enabled')::boolean, true),
    coalesce((value ->> 'maxInFlight')::int, 100), coalesce((value ->> 'executionTimeoutMs')::int, 900000),
    coalesce((value ->> 'ttlMs')::int, 86400000), coalesce((value ->> 'firstPollMs')::int, 30000),
    coalesce((value ->> 'maxPollMs')::int, 600000), coalesce((value ->> 'evidenceWindowMs')::int, 120000)
  from jsonb_each(coalesce(config -> 'endpoints', '{}'))
  on conflict (name) do update set provider_id = excluded.provider_id, enabled = excluded.enabled,
    max_in_flight = excluded.max_in_flight, execution_timeout_ms = excluded.execution_timeout_ms,
    ttl_ms = excluded.ttl_ms, first_poll_ms = excluded.first_poll_ms, max_poll_ms = excluded.max_poll_ms,
    evidence_window_ms = excluded.evidence_window_ms;
  delete from podbase_private.routes where route in (select jsonb_object_keys(coalesce(config -> 'routes', '{}')));
  insert into podbase_private.routes (route, position, endpoint)
  select r.key, e.ordinality, e.value
  from jsonb_each(coalesce(config -> 'routes', '{}')) r,
    jsonb_array_elements_text(r.value) with ordinality as e (value, ordinality);
end $$;

create function podbase.configure(config jsonb) returns void
language sql set search_path = '' as $$ select podbase_private.configure(config) $$;

-- Cancels a job of the caller. What has not started is canceled at once; what runs at RunPod is shown as canceling
-- until RunPod has confirmed, and a result that arrives before that still counts. A finished job stays as it is.
-- Returns the job. SQLSTATE PB005 when the caller has no such job. Caller: authenticated.
create function podbase_private.cancel_job(p_job uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_task record;
  v_tasks uuid[] := '{}';
  v_live boolean := false;
  v_now timestamptz := podbase_private.now();
begin
  perform from podbase.jobs where id = p_job and user_id = (select auth.uid()) for update;
  if not found then
    raise exception 'you have no such job' using errcode = 'PB005';
  end if;
  for v_task in
    select t.id, exists (select from podbase_private.attempts a
                         where a.task_id = t.id and a.next_check_at is not null) as live
    from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
    where t.job_id = p_job and t.finished_at is null and s.cancel_requested_at is null
    order by t.id
  loop
    update podbase_private.task_schedule set cancel_requested_at = v_now, ready_key = null, run_at = null
      where task_id = v_task.id;
    -- A claim may have taken the task while the row was waited for, so look again.
    update podbase_private.attempts set cancel_requested_at = v_now
      where task_id = v_task.id and next_check_at is not null;
    if found then
      v_live := true;
      v_tasks := v_tasks || podbase_private.show_task(v_task.id, 'canceling', null);
    elsif exists (select from podbase.tasks where id = v_task.id and finished_at is null) then
      v_tasks := v_tasks || podbase_private.finish_task(v_task.id, 'canceled', null, null);
    end if;
  end loop;
  if v_tasks <> '{}' then
    perform podbase_private.publish(p_job, v_tasks, 'user', 'cancel requested');
  end if;
  if v_live then
    perform podbase_private.wake();
  end if;
  return podbase_private.job_json(p_job);
end $$;

create function podbase.cancel_job(job_id uuid) returns jsonb
language sql set search_path = '' as $$ select podbase_private.cancel_job(job_id) $$;

-- The caller's jobs, newest first, with tasks and artifacts: all a just-started app needs. RLS decides whose.
-- Caller: authenticated.
create function podbase.my_jobs(max_jobs int default 50) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(j) || jsonb_build_object(
    'tasks', (select coalesce(jsonb_agg(to_jsonb(t) order by t.created_at, t.name), '[]')
              from podbase.tasks t where t.job_id = j.id),
    'artifacts', (select coalesce(jsonb_agg(to_jsonb(a) order by a.created_at, a.name), '[]')
                  from podbase.artifacts a where a.job_id = j.id)) order by j.created_at desc), '[]')
  from (
    select * from podbase.jobs where user_id = (select auth.uid())
    order by created_at desc limit least(max_jobs, 200)
  ) j;
$$;
