-- The fair queue and claiming.

-- Endpoints that can take work now: per route the first enabled one, in its order, with room under its cap.
-- Counts live attempts by their partial index, bounded by the cap; a counter row would be written at every claim and
-- completion and be what everybody waits for.
create function podbase_private.free_slots() returns table (route text, endpoint text, slots int)
language sql stable security definer set search_path = '' as $$
  select distinct on (r.route) r.route, e.name, e.max_in_flight - live.n
  from podbase_private.routes r
  join podbase_private.endpoints e on e.name = r.endpoint and e.enabled
  cross join lateral (
    select count(*)::int as n from (
      select from podbase_private.attempts a
      where a.endpoint = e.name and a.next_check_at is not null limit e.max_in_flight
    ) as bounded
  ) as live
  where live.n < e.max_in_flight
    and exists (select from podbase_private.task_schedule s where s.route = r.route and s.ready_key is not null)
  order by r.route, r.position;
$$;

-- The next key of a user in a route's queue (start-time fair queueing): behind the user's own waiting tasks, beside
-- everybody else's first. One user with 10,000 tasks then delays another by one task, not by 10,000.
create function podbase_private.next_ready_key(p_route text, p_user uuid) returns bigint
language sql volatile security definer set search_path = '' as $$
  select greatest(
    coalesce((select s.ready_key from podbase_private.task_schedule s
              where s.route = p_route and s.ready_key is not null order by s.ready_key limit 1), 0),
    coalesce((select s.ready_key + 1 from podbase_private.task_schedule s
              where s.route = p_route and s.user_id = p_user and s.ready_key is not null
              order by s.ready_key desc limit 1), 0));
$$;

-- Puts tasks into the fair queue of their routes. Their jobs' rows must be locked.
create function podbase_private.enqueue(p_tasks uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
declare v_task uuid;
begin
  foreach v_task in array p_tasks loop
    update podbase_private.task_schedule s
      set ready_key = podbase_private.next_ready_key(s.route, s.user_id), run_at = null
      where s.task_id = v_task;
  end loop;
end $$;

-- Turns up to p_limit ready tasks into attempts: state claimed, a lease of 30 s, a token of 244 bits of which only
-- the SHA-256 is kept. Whoever calls takes what is next, whosever it is. Never waits for a lock.
-- Returns everything that a POST to RunPod needs, the token included: [{attempt, token, number, job, kind, user,
-- task, route, endpoint, input, upstream, artifacts}].
create function podbase_private.claim(p_limit int) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_claims jsonb;
begin
  with picked as materialized (
    select s.task_id, f.endpoint,
      replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '') as token
    from podbase_private.free_slots() f
    cross join lateral (
      select c.task_id from podbase_private.task_schedule c
      where c.route = f.route and c.ready_key is not null
      order by c.ready_key, c.task_id
      limit least(f.slots, p_limit)
      for update skip locked
    ) s
    limit p_limit
  ), taken as (
    update podbase_private.task_schedule s
    set ready_key = null, attempts_made = s.attempts_made + 1
    from picked where s.task_id = picked.task_id
    returning s.*, picked.endpoint, picked.token
  ), made as (
    insert into podbase_private.attempts
      (task_id, job_id, number, endpoint, token_hash, next_check_at, created_at)
    select t.task_id, t.job_id, t.attempts_made, t.endpoint, sha256(convert_to(t.token, 'UTF8')),
      v_now + interval '30 s', v_now
    from taken t
    returning id, task_id
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'attempt', m.id, 'token', t.token, 'number', t.attempts_made,
    'job', j.id, 'kind', j.kind, 'user', j.user_id, 'task', k.name, 'route', t.route,
    'endpoint', jsonb_build_object('name', e.name, 'providerId', e.provider_id,
      'executionTimeoutMs', e.execution_timeout_ms, 'ttlMs', e.ttl_ms),
    'input', j.input,
    'upstream', (select coalesce(jsonb_object_agg(u.name, u.output), '{}') from podbase.tasks u
                 where u.job_id = j.id and u.name = any (t.after)),
    'artifacts', t.artifacts)), '[]')
  into v_claims
  from made m
  join taken t using (task_id)
  join podbase.tasks k on k.id = m.task_id
  join podbase.jobs j on j.id = t.job_id
  join podbase_private.endpoints e on e.name = t.endpoint;
  return v_claims;
end $$;
