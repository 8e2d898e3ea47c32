-- A request becomes a job.

-- Refuses a plan that could never run: no tasks or too many, a name twice, an unknown upstream or route, a cycle.
-- SQLSTATE PB003 (detail: the path inside the plan), PB002 for an unknown route.
create function podbase_private.check_plan(p_plan jsonb) returns void
language plpgsql stable security definer set search_path = '' as $$
declare
  v_task jsonb;
  v_names text[] := '{}';
  v_done text[] := '{}';
  v_ready text[];
begin
  if jsonb_typeof(p_plan -> 'tasks') is distinct from 'array'
    or jsonb_array_length(p_plan -> 'tasks') not between 1 and 100 then
    raise exception 'a plan has between 1 and 100 tasks' using errcode = 'PB003', detail = 'plan.tasks';
  end if;
  for v_task in select * from jsonb_array_elements(p_plan -> 'tasks') loop
    if coalesce(v_task ->> 'name', '') !~ '^[a-zA-Z][a-zA-Z0-9_-]{0,62}$' or v_task ->> 'name' = any (v_names) then
      raise exception 'a task''s name is missing, malformed or used twice: %', v_task ->> 'name'
        using errcode = 'PB003', detail = format('plan.tasks.%s.name', cardinality(v_names));
    end if;
    if not exists (select from podbase_private.routes where route = v_task ->> 'route') then
      raise exception 'no endpoint serves the route %', v_task ->> 'route'
        using errcode = 'PB002', detail = format('plan.tasks.%s.route', cardinality(v_names));
    end if;
    v_names := v_names || (v_task ->> 'name');
  end loop;
  if exists (select from jsonb_array_elements(p_plan -> 'tasks') t, jsonb_array_elements_text(t -> 'after') a
             where a <> all (v_names)) then
    raise exception 'a task comes after one that the plan does not have' using errcode = 'PB003', detail = 'plan.tasks';
  end if;
  -- Peel off what has nothing undone before it; what is left over at a standstill is a cycle.
  loop
    select array_agg(t ->> 'name') into v_ready from jsonb_array_elements(p_plan -> 'tasks') t
    where t ->> 'name' <> all (v_done)
      and not exists (select from jsonb_array_elements_text(t -> 'after') a where a <> all (v_done));
    exit when v_ready is null;
    v_done := v_done || v_ready;
  end loop;
  if cardinality(v_done) < cardinality(v_names) then
    raise exception 'the plan''s tasks wait for each other in a circle' using errcode = 'PB003', detail = 'plan.tasks';
  end if;
end $$;

-- Makes a job of a request and claims what is next in the queues, usually just its own tasks.
--   request: {user, kind, input, idempotencyKey?, plan: {tasks: [{name, route, after?, artifacts?, optional?,
--             submitPolicy?, maxAttempts?}]}}
--   returns: {job, created, claims}
-- The same (user, idempotency key) gives the first job again, created false; with another kind or input PB001.
-- Other SQLSTATEs: PB002 unknown route, PB003 invalid plan. Caller: service_role. Takes no lock but its own rows.
create function podbase_private.submit_job(request jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_user uuid := (request ->> 'user')::uuid;
  v_key text := request ->> 'idempotencyKey';
  v_now timestamptz := podbase_private.now();
  v_job podbase.jobs;
  v_ready uuid[];
begin
  perform podbase_private.check_plan(request -> 'plan');

  insert into podbase.jobs (user_id, kind, input, idempotency_key, progress, created_at, updated_at)
  values (v_user, request ->> 'kind', request -> 'input', v_key, 0, v_now, v_now)
  on conflict (user_id, idempotency_key) do nothing
  returning * into v_job;

  if v_job.id is null then
    select * into strict v_job from podbase.jobs where user_id = v_user and idempotency_key = v_key;
    if v_job.kind <> request ->> 'kind' or v_job.input <> request -> 'input' then
      raise exception 'the idempotency key was used for another request' using errcode = 'PB001';
    end if;
    return jsonb_build_object('job', podbase_private.job_json(v_job.id), 'created', false, 'claims', '[]'::jsonb);
  end if;

  with plan as (
    select t, ordinality as position,
      coalesce((select array_agg(a) from jsonb_array_elements_text(t -> 'after') a), '{}') as after
    from jsonb_array_elements(request -> 'plan' -> 'tasks') with ordinality as p (t, ordinality)
  ), made as (
    insert into podbase.tasks (job_id, user_id, name, status, created_at, updated_at)
    select v_job.id, v_user, t ->> 'name',
      case when after = '{}' then 'queued' else 'blocked' end::podbase.task_status,
      -- Declared order is shown order.
      v_now + position * interval '1 microsecond', v_now
    from plan
    returning id, name
  ), scheduled as (
    insert into podbase_private.task_schedule
      (task_id, job_id, user_id, route, after, artifacts, optional, submit_policy, max_attempts)
    select m.id, v_job.id, v_user, t ->> 'route', after, coalesce(t -> 'artifacts', '{}'),
      coalesce((t ->> 'optional')::boolean, false),
      coalesce(t ->> 'submitPolicy', 'at_least_once')::podbase_private.submit_policy,
      coalesce((t ->> 'maxAttempts')::int, 3)
    from plan join made m on m.name = t ->> 'name'
    returning task_id, after
  )
  select coalesce(array_agg(task_id), '{}') into v_ready from scheduled where after = '{}';

  perform podbase_private.enqueue(v_ready);
  perform podbase_private.announce(v_job, v_job.version, null, 'user', 'submitted');
  return jsonb_build_object(
    'claims', podbase_private.claim(10),
    'created', true,
    'job', podbase_private.job_json(v_job.id));
end $$;
