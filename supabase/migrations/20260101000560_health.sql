-- What RunPod's /health says of the workers of an endpoint, and what those who wait there are told of it.

-- The last answer of each endpoint that somebody waited for. A counter that RunPod did not tell is null: its
-- documentation shows two of them, live endpoints six, and ready and idle overlap (docs.runpod.io/serverless/endpoints;
-- runpod/runpod-plugins-official, golden path 15), so they are never added up.
create table podbase_private.endpoint_health (
  endpoint text primary key references podbase_private.endpoints (name) on delete cascade,
  asked_at timestamptz not null,
  -- Of the answer; null before the first.
  at timestamptz,
  idle int,
  initializing int,
  ready int,
  running int,
  throttled int,
  unhealthy int,
  in_queue int,
  in_progress int,
  -- The notice of tasks that wait here.
  code text not null default 'warming_up',
  -- Since when it has shown no worker of any kind; null while it shows one.
  empty_since timestamptz
) with (fillfactor = 50);
alter table podbase_private.endpoint_health enable row level security;
revoke all on podbase_private.endpoint_health from public, anon, authenticated, service_role;

-- The live attempts of an endpoint that are looked at at once: as many as it may have, at most 1,000.
create function podbase_private.live_sample(p_endpoint text, p_cap int) returns setof podbase_private.attempts
language plpgsql stable rows 100 set search_path = '' as $$
begin
  return query select * from podbase_private.attempts a
    where a.endpoint = p_endpoint and a.next_check_at is not null limit least(p_cap, 1000);
end $$;

-- When the attempt was submitted that has waited longest for a worker of this endpoint; null when none waits.
create function podbase_private.waiting_since(p_endpoint text, p_cap int) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return (select min(coalesce(s.submitted_at, s.created_at)) filter (where s.state = 'in_queue')
          from podbase_private.live_sample(p_endpoint, p_cap) s);
end $$;

-- Whether a call of reconcile is worth it for an endpoint's health alone: somebody has waited for 15 s, and the last look
-- is older than that, and older than a third of the wait (a long one is looked at ever more seldom) or than 5 minutes.
create function podbase_private.health_is_due() returns boolean
language plpgsql volatile set search_path = '' as $$
declare v_now timestamptz := podbase_private.now();
begin
  return exists (
    select from podbase_private.endpoints e
    left join podbase_private.endpoint_health h on h.endpoint = e.name
    cross join lateral podbase_private.waiting_since(e.name, e.max_in_flight) as w (since)
    where (h.asked_at <= v_now - interval '15 s' or h.asked_at > v_now or h.endpoint is null)
      and w.since <= v_now - interval '15 s'
      and (h.endpoint is null or h.asked_at > v_now
        or h.asked_at <= v_now - least((v_now - w.since) / 3, interval '5 minutes')));
end $$;

-- Takes up to max_endpoints endpoints that somebody waits for and nobody has asked about for 15 s.
-- Returns [{name, providerId}]. Emits nothing. Caller: service_role. Locks: their health rows.
create function podbase_private.claim_health(max_endpoints int) returns jsonb
language plpgsql volatile security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_endpoint record;
  v_now timestamptz := podbase_private.now();
  v_taken jsonb := '[]';
begin
  for v_endpoint in
    select e.name, e.provider_id, e.max_in_flight from podbase_private.endpoints e
    left join podbase_private.endpoint_health h on h.endpoint = e.name
    where h.endpoint is null or h.asked_at <= v_now - interval '15 s' or h.asked_at > v_now
    order by h.asked_at nulls first, e.name
  loop
    exit when jsonb_array_length(v_taken) >= max_endpoints;
    continue when podbase_private.waiting_since(v_endpoint.name, v_endpoint.max_in_flight) is null;
    insert into podbase_private.endpoint_health as h (endpoint, asked_at) values (v_endpoint.name, v_now)
    on conflict (endpoint) do update set asked_at = excluded.asked_at
      where h.asked_at <= v_now - interval '15 s' or h.asked_at > v_now;
    continue when not found;
    v_taken := v_taken
      || jsonb_build_object('name', v_endpoint.name, 'providerId', v_endpoint.provider_id);
  end loop;
  return v_taken;
end $$;

-- Gives open tasks of one job another notice, if they still are in that phase, and publishes them. Returns how many.
-- Locks the job, or does nothing if somebody else holds it.
create function podbase_private.renotice(
  p_job uuid, p_tasks uuid[], p_phase podbase.phase, p_code text, p_actor text
) returns int
language plpgsql set search_path = '' as $$
declare
  v_changed uuid[];
  v_now timestamptz := podbase_private.now();
begin
  perform from podbase.jobs where id = p_job for update skip locked;
  if not found then return 0; end if;
  with changed as (
    update podbase.tasks set notice = podbase_private.notice(p_code), version = version + 1, updated_at = v_now
    where id = any (p_tasks) and phase = p_phase and finished_at is null and notice ->> 'code' is distinct from p_code
    returning id
  )
  select array_agg(id) into v_changed from changed;
  if v_changed is null then return 0; end if;
  perform podbase_private.publish(p_job, v_changed, p_actor, replace(p_code, '_', ' '));
  return cardinality(v_changed);
end $$;

-- Tells what waits at an endpoint what its workers are up to: at most 200 jobs at a time, and each only when that changed.
create function podbase_private.tell_waiting(p_endpoint text, p_cap int, p_code text) returns int
language plpgsql set search_path = '' as $$
declare
  v_job record;
  v_waiting uuid[];
  v_told int := 0;
begin
  select array_agg(s.task_id) filter (where s.state = 'in_queue') into v_waiting
  from podbase_private.live_sample(p_endpoint, p_cap) s;
  if v_waiting is null then return 0; end if;
  for v_job in
    select t.job_id as id, array_agg(t.id) as tasks
    from unnest(v_waiting) as w (id) join podbase.tasks t on t.id = w.id
    where t.phase = 'waiting_for_worker' and t.notice ->> 'code' is distinct from p_code
    group by t.job_id order by t.job_id limit 200
  loop
    v_told := v_told + podbase_private.renotice(v_job.id, v_job.tasks, 'waiting_for_worker', p_code, 'health');
  end loop;
  return v_told;
end $$;

-- Records what endpoints answered to /health: [{endpoint: name, workers: {idle?, initializing?, ready?, running?,
-- throttled?, unhealthy?}, jobs: {inQueue?, inProgress?}}], all counters. What waits there is told:
--   worker_starting  a worker is starting
--   throttled        workers are wanted, but RunPod has no machine for them, and none is there
--   no_workers       no worker of any kind, twice in a row: the endpoint's maximum may be 0
--   warming_up       anything else
-- Alerts workers_unhealthy (workers crash while somebody waits) and no_workers (for two minutes). Returns how many tasks
-- have another notice. Emits one version for each of them. Caller: service_role. Locks: the health rows, then jobs that nobody else holds.
create function podbase_private.record_health(snapshots jsonb) returns int
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  r record;
  h podbase_private.endpoint_health;
  v_now timestamptz := podbase_private.now();
  v_told int := 0;
begin
  for r in
    select e.name, e.max_in_flight, x.workers, x.jobs
    from jsonb_to_recordset(snapshots) as x (endpoint text, workers jsonb, jobs jsonb)
    join podbase_private.endpoints e on e.name = x.endpoint order by e.name
  loop
    select * into h from podbase_private.endpoint_health where endpoint = r.name for update;
    h.endpoint := r.name;
    h.asked_at := coalesce(h.asked_at, v_now);
    h.at := v_now;
    h.idle := r.workers ->> 'idle';
    h.initializing := r.workers ->> 'initializing';
    h.ready := r.workers ->> 'ready';
    h.running := r.workers ->> 'running';
    h.throttled := r.workers ->> 'throttled';
    h.unhealthy := r.workers ->> 'unhealthy';
    h.in_queue := r.jobs ->> 'inQueue';
    h.in_progress := r.jobs ->> 'inProgress';
    h.empty_since := case when greatest(h.idle, h.ready, h.running, h.unhealthy) = 0 and h.initializing = 0
      and h.throttled = 0 then coalesce(h.empty_since, v_now) end;
    h.code := case
      when h.initializing > 0 then 'worker_starting'
      when h.throttled > 0 and greatest(h.idle, h.ready, h.running) = 0 then 'throttled'
      when h.empty_since <= v_now - interval '10 s' then 'no_workers'
      else 'warming_up' end;
    insert into podbase_private.endpoint_health select h.*
    on conflict (endpoint) do update set at = excluded.at, idle = excluded.idle, initializing = excluded.initializing,
      ready = excluded.ready, running = excluded.running, throttled = excluded.throttled,
      unhealthy = excluded.unhealthy, in_queue = excluded.in_queue, in_progress = excluded.in_progress,
      code = excluded.code, empty_since = excluded.empty_since;
    if h.unhealthy > 0 and coalesce(h.in_queue, 1) > 0 then
      perform podbase_private.alert('workers_unhealthy', r.name, null, to_jsonb(h));
    end if;
    if h.empty_since <= v_now - interval '2 minutes' then
      perform podbase_private.alert('no_workers', r.name, null, to_jsonb(h));
    end if;
    v_told := v_told + podbase_private.tell_waiting(r.name, r.max_in_flight, h.code);
  end loop;
  return v_told;
end $$;

-- As podbase_private.claim_health. Caller: service_role.
create function podbase.claim_health(max_endpoints int default 20) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.claim_health(max_endpoints);
end $$;

-- As podbase_private.record_health. Caller: service_role.
create function podbase.record_health(snapshots jsonb) returns int
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_health(snapshots);
end $$;
