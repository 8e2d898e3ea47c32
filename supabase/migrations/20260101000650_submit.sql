-- A request becomes a job.

-- The job that a (user, idempotency key) already made. SQLSTATE PB001 when it was made of another request; of one whose
-- input retention has emptied only the kind is known. The refusal's hint is p_place.
create function podbase_private.job_of_key(p_request jsonb, p_place text default '') returns uuid
language plpgsql set search_path = '' as $$
declare v_job podbase.jobs;
begin
  select * into v_job from podbase.jobs
    where user_id = (p_request ->> 'user')::uuid and idempotency_key = p_request ->> 'idempotencyKey';
  if v_job.id is null then
    select j.* into strict v_job from podbase_private.other_keys k join podbase.jobs j on j.id = k.job_id
      where k.user_id = (p_request ->> 'user')::uuid and k.idempotency_key = p_request ->> 'idempotencyKey';
  end if;
  if v_job.kind <> p_request ->> 'kind' or (v_job.trimmed_at is null and v_job.input <> p_request -> 'input') then
    raise exception 'the idempotency key was used for another request'
      using errcode = 'PB001', detail = p_request ->> 'idempotencyKey', hint = p_place;
  end if;
  return v_job.id;
end $$;

-- The only task of a new job: claimed at once where nobody waits before it and an endpoint has plenty of room, else
-- queued, and then what is next is claimed. p_limited: its user may have only so many tasks in flight. Returns what
-- submit_job returns. SQLSTATE PB002. Called by submit_job. Locks: its own rows, then as claim().
create function podbase_private.start_single(p_job podbase.jobs, p_plan jsonb, p_rank smallint, p_limited boolean)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_route text := p_plan ->> 'route';
  v_artifacts jsonb := coalesce(p_plan -> 'artifacts', '{}');
  v_now timestamptz := p_job.created_at;
  v_task podbase.tasks;
  v_endpoint podbase_private.endpoints;
  v_free boolean := false;
  v_key bigint;
  v_version bigint;
  v_attempt uuid;
  v_token text;
  v_claims jsonb;
begin
  -- An endpoint that may work, if the route has one.
  select e.* into v_endpoint from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint
    where r.route = v_route order by not e.enabled, r.position limit 1;
  if not found then
    perform podbase_private.check_route(v_route, 'plan.tasks.0.route');
  end if;
  if not p_limited then
    perform from podbase_private.task_schedule where route = v_route and ready_key is not null limit 1;
    if not found then
      v_free := podbase_private.start_at_once(v_endpoint, v_now);
    end if;
    if not v_free then
      v_key := podbase_private.next_ready_key(v_route, p_job.user_id, p_rank);
    end if;
  end if;

  insert into podbase.tasks (job_id, user_id, name, status, created_at, updated_at)
  values (p_job.id, p_job.user_id, p_plan ->> 'name', 'queued', v_now, v_now)
  returning * into v_task;
  insert into podbase_private.task_schedule (task_id, job_id, user_id, route, rank, artifacts, optional, submit_policy,
    max_attempts, reroute, attempts_made, ready_since, ready_key, parked)
  values (v_task.id, p_job.id, p_job.user_id, v_route, p_rank, v_artifacts,
    coalesce((p_plan ->> 'optional')::boolean, false),
    coalesce(p_plan ->> 'submitPolicy', 'at_least_once')::podbase_private.submit_policy,
    coalesce((p_plan ->> 'maxAttempts')::numeric::int, 3), p_plan -> 'reroute', v_free::int, v_now, v_key, p_limited);

  v_version := podbase_private.announce(p_job, 1, null, 'user', 'submitted');
  if v_free then
    v_token := podbase_private.new_token();
    insert into podbase_private.attempts (task_id, job_id, number, endpoint, token_hash, next_check_at, created_at)
    values (v_task.id, p_job.id, 1, v_endpoint.name, sha256(convert_to(v_token, 'UTF8')), v_now + interval '30 s', v_now)
    returning id into v_attempt;
    v_claims := jsonb_build_array(podbase_private.claim_json(
      v_attempt, v_token, 1, p_job, v_task.name, v_route, v_endpoint, v_artifacts));
    if p_plan ->> 'submitPolicy' = 'at_most_once' then
      v_claims := jsonb_set(v_claims, '{0,submitPolicy}', '"at_most_once"');
    end if;
  else
    v_claims := case when v_endpoint.enabled then podbase_private.claim(1) else '[]' end;
  end if;
  return jsonb_build_object('created', true, 'claims', v_claims,
    'job', to_jsonb(p_job) || jsonb_build_object('tasks', jsonb_build_array(v_task), 'artifacts', '[]'::jsonb));
end $$;

-- Makes a job of a request and claims as many tasks as it made ready, usually its own.
--   request: {user, kind, input, idempotencyKey?, priority? (-100 to 100, higher goes first), runAt? (nothing starts
--             before; ISO 8601), plan: {tasks: [{name, route, after?, artifacts?, optional?, submitPolicy?, maxAttempts?,
--             reroute?: {class: route}, map?: {over: "input" | an upstream, path: [key, …]}}],
--             reuse?: {scope: user | global, ttlMs}}}
--   returns: {job, created, claims}; plan.reuse may give a job that was there (created false) or a copy of another
--            user's (podbase_private.reuse)
-- The same (user, idempotency key) gives the first job again, created false; with another kind or input PB001.
-- Other SQLSTATEs: PB002 unknown route, PB003 invalid plan or request, unknown keys included (both with the path as their
-- detail), PB007 input over 9 MiB or plan over 1 MiB, PB008 and PB009 too many jobs (see check_quota), 23503 unknown user.
-- Emits version 1. Caller: service_role. Takes no lock but its own rows and claim()'s.
create function podbase_private.submit_job(request jsonb) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_tasks jsonb := request -> 'plan' -> 'tasks';
  v_user uuid := (request ->> 'user')::uuid;
  v_now timestamptz := podbase_private.now();
  v_job podbase.jobs;
  v_id uuid := gen_random_uuid();
  v_settings podbase_private.settings;
  v_limits podbase_private.user_limits;
  v_reused jsonb;
  v_claims jsonb;
begin
  perform podbase_private.check_request(request);
  if not coalesce(podbase_private.is_plain(request -> 'plan'), false) then
    perform podbase_private.check_plan(request -> 'plan');
  end if;
  if request -> 'plan' ? 'reuse' and coalesce((request ->> 'runAt')::timestamptz <= v_now, true) then
    perform from podbase.jobs where user_id = v_user and idempotency_key = request ->> 'idempotencyKey';
    if not found then
      v_reused := podbase_private.reuse(request, v_id);
      if v_reused is not null then return v_reused; end if;
    end if;
  end if;
  insert into podbase.jobs (id, user_id, kind, input, idempotency_key, progress, task_count, created_at, updated_at)
  select v_id, v_user, request ->> 'kind', request -> 'input', request ->> 'idempotencyKey', 0,
    jsonb_array_length(v_tasks), v_now, v_now
  where not exists (select from podbase_private.other_keys
    where user_id = v_user and idempotency_key = request ->> 'idempotencyKey')
  on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
  returning * into v_job;
  if v_job.id is null then
    return jsonb_build_object(
      'job', podbase_private.job_json(podbase_private.job_of_key(request)), 'created', false, 'claims', '[]'::jsonb);
  end if;
  select * into strict v_settings from podbase_private.settings where single;
  select * into v_limits from podbase_private.user_limits where user_id = v_user;
  if coalesce(v_limits.max_jobs_per_minute, v_settings.max_jobs_per_minute, v_limits.max_open_jobs,
    v_settings.max_open_jobs) is not null then
    perform podbase_private.check_quota(v_user, array[v_id]);
  end if;
  if v_job.task_count = 1 and not v_tasks -> 0 ? 'map' and not request ? 'runAt' then
    return podbase_private.start_single(
      v_job, v_tasks -> 0, (-coalesce((request ->> 'priority')::numeric::int, 0))::smallint,
      coalesce(v_limits.max_in_flight, v_settings.max_in_flight_per_user) is not null);
  end if;
  perform podbase_private.announce(v_job, 1, null, 'user', 'submitted');
  -- Before the job is read: within one statement job_json() would not see what the others have made.
  v_claims := podbase_private.claim(least(10, podbase_private.start_tasks(array[v_job.id], array[request])));
  return jsonb_build_object('created', true, 'claims', v_claims, 'job', podbase_private.job_json(v_job.id));
end $$;

-- Makes the tasks of new jobs, queues what waits for nothing, or has it wait for its request's runAt, and opens maps over
-- the input. Returns how many are ready, those that wait included.
create function podbase_private.start_tasks(p_jobs uuid[], p_requests jsonb[]) returns int
language plpgsql set search_path = '' as $$
declare
  v_ready uuid[];
  v_mapping uuid[];
  v_changed uuid[];
begin
  with plan as (
    select gen_random_uuid() as id, j.id as job_id, j.user_id, j.created_at, t.value as t, t.ordinality as position,
      array(select jsonb_array_elements_text(t.value -> 'after')) as after,
      (-coalesce((r.request ->> 'priority')::numeric::int, 0))::smallint as rank
    from unnest(p_jobs, p_requests) as r (job, request)
    join podbase.jobs j on j.id = r.job,
    jsonb_array_elements(r.request -> 'plan' -> 'tasks') with ordinality as t
  ), made as (
    insert into podbase.tasks (id, job_id, user_id, name, status, created_at, updated_at)
    select id, job_id, user_id, t ->> 'name',
      case when after = '{}' and not t ? 'map' then 'queued' else 'blocked' end::podbase.task_status,
      -- Declared order is shown order.
      created_at + position * interval '1 microsecond', created_at
    from plan
  ), scheduled as (
    insert into podbase_private.task_schedule
      (task_id, job_id, user_id, route, rank, after, artifacts, optional, submit_policy, max_attempts, reroute, map)
    select id, job_id, user_id, t ->> 'route', rank, after, coalesce(t -> 'artifacts', '{}'),
      coalesce((t ->> 'optional')::boolean, false),
      coalesce(t ->> 'submitPolicy', 'at_least_once')::podbase_private.submit_policy,
      coalesce((t ->> 'maxAttempts')::numeric::int, 3), t -> 'reroute', t -> 'map'
    from plan
  )
  select coalesce(array_agg(id order by job_id, position) filter (where after = '{}' and not t ? 'map'), '{}'),
    coalesce(array_agg(distinct job_id) filter (where after = '{}' and t ? 'map'), '{}')
  into v_ready, v_mapping from plan;
  perform podbase_private.enqueue_many(v_ready);

  for i in 1 .. cardinality(v_mapping) loop
    v_changed := podbase_private.unblock(v_mapping[i]);
    perform podbase_private.publish(v_mapping[i], v_changed, 'engine', 'list opened');
    v_ready := v_ready || array(select task_id from podbase.tasks t join podbase_private.task_schedule s
      on s.task_id = t.id where t.job_id = v_mapping[i] and s.item_index is not null);
  end loop;
  if exists (select from unnest(p_requests) r where r ? 'runAt') then
    update podbase_private.task_schedule s set
        ready_key = null, parked = false, run_at = (r.request ->> 'runAt')::timestamptz
      from unnest(p_jobs, p_requests) as r (job, request) join podbase.tasks t on t.job_id = r.job
      where (r.request ->> 'runAt')::timestamptz > podbase_private.now() and s.task_id = t.id
        and (s.ready_key is not null or s.parked);
  end if;
  return cardinality(v_ready);
end $$;

-- enqueue() for many tasks of many users at once: each user's tasks in the order given, one after the other.
create function podbase_private.enqueue_many(p_tasks uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  if cardinality(p_tasks) <= 3 then
    perform podbase_private.enqueue(p_tasks);
    return;
  end if;
  with given as materialized (
    select s.task_id, s.route, s.user_id, s.rank, x.n
    from unnest(p_tasks) with ordinality as x (id, n) join podbase_private.task_schedule s on s.task_id = x.id
  ), lines as materialized (
    select route, user_id, rank, podbase_private.user_limit(user_id) is not null as limited,
      podbase_private.next_ready_key(route, user_id, rank) as base,
      podbase_private.turn() / coalesce(
        (select l.weight from podbase_private.user_limits l where l.user_id = d.user_id), 1) as step
    from (select distinct route, user_id, rank from given) as d
  ), placed as materialized (
    select task_id, limited, base + step * (row_number() over (partition by route, user_id, rank order by n) - 1) as key
    from given join lines using (route, user_id, rank)
  )
  update podbase_private.task_schedule s set
      parked = limited, ready_key = case when not limited then key end, ready_since = podbase_private.now()
    from placed where s.task_id = placed.task_id;
end $$;

-- Makes many jobs in one call and one transaction: all or none. Claims nothing; whoever claims next takes them in fair
-- order. Emits version 1 to the history only, not to the topic: a client learns of them by its next read or their first
-- change.
--   requests: [request, …] as of submit_job, at most 10,000
--   returns: [{job: id, created}, …] in the same order
-- SQLSTATEs as of submit_job, that of PB001 for the first request that differs from its key's job, with the request's place
-- from 0 on as its hint; PB003 for over 10,000.
-- Caller: service_role. Locks: its own rows.
create function podbase_private.submit_jobs(requests jsonb) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_requests jsonb[];
  v_ids uuid[];
  v_new uuid[];
  v_new_requests jsonb[];
  v_result jsonb;
  v_now timestamptz := podbase_private.now();
begin
  if jsonb_typeof(requests) is distinct from 'array' or jsonb_array_length(requests) > 10000 then
    perform podbase_private.refuse_plan('', 'a list of at most 10,000 requests');
  end if;
  v_requests := array(select jsonb_array_elements(requests));
  perform podbase_private.check_request(r) from unnest(v_requests) r;
  -- Most share a plan, so each plan is checked once.
  perform podbase_private.check_plan(plan) from (select distinct r -> 'plan' from unnest(v_requests) r) as p (plan);
  if exists (select from unnest(v_requests) r where r -> 'plan' ? 'reuse') then
    perform podbase_private.refuse_plan('plan.reuse', 'many jobs at once are always made anew');
  end if;

  with given as (
    select gen_random_uuid() as id, r, n from unnest(v_requests) with ordinality as x (r, n)
  ), made as (
    insert into podbase.jobs (id, user_id, kind, input, idempotency_key, progress, task_count, created_at, updated_at)
    select id, (r ->> 'user')::uuid, r ->> 'kind', r -> 'input', r ->> 'idempotencyKey', 0,
      jsonb_array_length(r -> 'plan' -> 'tasks'), v_now, v_now
    from given
    where not exists (select from podbase_private.other_keys k
      where k.user_id = (r ->> 'user')::uuid and k.idempotency_key = r ->> 'idempotencyKey')
    order by n
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning id
  )
  select array_agg(made.id order by n), array_agg(made.id order by n) filter (where made.id is not null),
    array_agg(r order by n) filter (where made.id is not null)
  into v_ids, v_new, v_new_requests
  from given left join made on made.id = given.id;

  select coalesce(jsonb_agg(jsonb_build_object(
      'job', coalesce(id, podbase_private.job_of_key(r, (n - 1)::text)), 'created', id is not null) order by n), '[]')
    into v_result from unnest(v_ids, v_requests) with ordinality as x (id, r, n);
  if v_new is not null then
    perform podbase_private.check_quotas(v_new);
    insert into podbase_private.job_events
      (job_id, version, at, actor, cause, job_status, job_phase, job_progress)
    select id, 1, v_now, 'user', 'submitted', 'queued', 'queued', 0 from unnest(v_new) as id;
    perform podbase_private.start_tasks(v_new, v_new_requests);
  end if;
  return v_result;
end $$;
