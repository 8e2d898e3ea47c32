-- Claiming: ready tasks become attempts.

-- What the POST of a fresh attempt of a task without upstreams needs.
create function podbase_private.claim_json(
  p_attempt uuid, p_token text, p_number int, p_job podbase.jobs, p_task text, p_route text,
  p_endpoint podbase_private.endpoints, p_artifacts jsonb
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'attempt', p_attempt, 'token', p_token, 'number', p_number, 'job', p_job.id, 'kind', p_job.kind,
    'user', p_job.user_id, 'task', p_task, 'route', p_route,
    'endpoint', jsonb_build_object('name', p_endpoint.name, 'providerId', p_endpoint.provider_id,
      'executionTimeoutMs', p_endpoint.execution_timeout_ms, 'ttlMs', p_endpoint.ttl_ms),
    'input', p_job.input, 'upstream', '{}'::jsonb, 'artifacts', p_artifacts);
end $$;

-- Everything that the POSTs of fresh attempts need: [{attempt, token, number, job, kind, user, task, route, endpoint,
-- input, upstream, artifacts, item?, index?, submitPolicy?: at_most_once}], in the order given.
create function podbase_private.claims_json(p_attempts uuid[], p_tokens text[]) returns jsonb
language plpgsql volatile
-- A few rows by their keys: other joins could read whole tables.
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  return (
    select coalesce(jsonb_agg(
      podbase_private.claim_json(a.id, p_tokens[x.n], a.number, j, t.name, s.route, e, s.artifacts)
      || case when s.after = '{}' then '{}' else jsonb_build_object('upstream', (
          select coalesce(jsonb_object_agg(u.name, u.output), '{}') from podbase.tasks u
          where u.job_id = j.id and u.name = any (s.after))) end
      || case when s.item_index is null then '{}' else jsonb_build_object('item', s.item, 'index', s.item_index) end
      || case s.submit_policy when 'at_most_once' then '{"submitPolicy": "at_most_once"}'::jsonb else '{}' end
      order by x.n), '[]')
    from unnest(p_attempts) with ordinality as x (id, n)
    join podbase_private.attempts a on a.id = x.id
    join podbase_private.task_schedule s on s.task_id = a.task_id
    join podbase.tasks t on t.id = a.task_id
    join podbase.jobs j on j.id = a.job_id
    join podbase_private.endpoints e on e.name = a.endpoint);
end $$;

-- As claims_json(), but of claims whose inputs are over 16 MiB together only the first ones up to that, at least one; the
-- others' tasks go back to the head of their queues as if nobody had claimed them.
-- Locks: none that claim() has not.
create function podbase_private.some_claims_json(p_attempts uuid[], p_tokens text[]) returns jsonb
language plpgsql volatile set search_path = '' set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  v_most constant int := 16 * 1024 * 1024;
  v_claims jsonb[] := '{}';
  v_size bigint := 0;
  v_task uuid;
begin
  -- In a list of one, what is stored compressed has its whole size again.
  if (select sum(pg_column_size(jsonb_build_array(j.input)) + coalesce(case when s.after <> '{}' then (
          select sum(pg_column_size(jsonb_build_array(u.output))) from podbase.tasks u
          where u.job_id = j.id and u.name = any (s.after)) end, 0))
      from unnest(p_attempts) as x (id)
      join podbase_private.attempts a on a.id = x.id
      join podbase_private.task_schedule s on s.task_id = a.task_id
      join podbase.jobs j on j.id = a.job_id) <= v_most then
    return podbase_private.claims_json(p_attempts, p_tokens);
  end if;
  for i in 1 .. cardinality(p_attempts) loop
    v_claims := v_claims || (podbase_private.claims_json(p_attempts[i:i], p_tokens[i:i]) -> 0);
    v_size := v_size + pg_column_size(v_claims[i]);
    continue when i = 1 or v_size <= v_most;
    v_claims := v_claims[:i - 1];
    for v_task in delete from podbase_private.attempts where id = any (p_attempts[i:]) returning task_id loop
      update podbase_private.task_schedule s set attempts_made = attempts_made - 1, ready_key = coalesce((
          select min(o.ready_key) from podbase_private.task_schedule o
          where o.route = s.route and o.rank = s.rank and o.ready_key is not null), 0)
        where task_id = v_task;
    end loop;
    exit;
  end loop;
  return to_jsonb(v_claims);
end $$;

-- A token of 244 random bits.
create function podbase_private.new_token() returns text
language plpgsql volatile set search_path = '' as $$
begin
  return replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
end $$;

-- Whether a half-open or open endpoint may take its trial now; true for one caller only, and not again for a minute.
create function podbase_private.take_trial(p_endpoint text, p_now timestamptz) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform from podbase_private.endpoints where name = p_endpoint and breaker <> 'closed' and breaker_until <= p_now
    for update skip locked;
  if not found then return false; end if;
  update podbase_private.endpoints set breaker = 'half_open', breaker_until = p_now + interval '1 minute'
    where name = p_endpoint;
  return true;
end $$;

-- Claims for one route at one endpoint: the ready tasks in their fair order, every tenth place for who waits longest
-- beyond the ageing limit. A task that avoids all endpoints that are left to its route avoids none. Waits for no lock.
-- Returns the attempts and their tokens.
create function podbase_private.claim_lane(
  p_route text, p_endpoint text, p_limit int, p_aged int, p_now timestamptz, p_old_before timestamptz,
  out attempts uuid[], out tokens text[]
)
language plpgsql volatile set search_path = '' as $$
begin
  with left_over as materialized (
    select array_agg(r.endpoint) as endpoints
    from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint and e.enabled
    where r.route = p_route
  ), aged as materialized (
    select c.task_id from podbase_private.task_schedule c
    where c.route = p_route and c.ready_key is not null and c.ready_since < p_old_before
      and (c.avoid is null or p_endpoint <> all (c.avoid) or c.avoid @> (select endpoints from left_over))
    order by c.ready_since limit p_aged for update skip locked
  ), fair as materialized (
    select c.task_id from podbase_private.task_schedule c
    where c.route = p_route and c.ready_key is not null
      and (c.avoid is null or p_endpoint <> all (c.avoid) or c.avoid @> (select endpoints from left_over))
    order by c.rank, c.ready_key, c.task_id limit p_limit for update skip locked
  ), picked as materialized (
    select task_id, podbase_private.new_token() as token from (
      select task_id from (select task_id, 0 as place from aged union all select task_id, 1 from fair) as either
      group by task_id order by min(place) limit p_limit
    ) as chosen
  ), taken as (
    update podbase_private.task_schedule s set ready_key = null, attempts_made = s.attempts_made + 1
    from picked where s.task_id = picked.task_id
    returning s.task_id, s.job_id, s.attempts_made, picked.token
  ), made as (
    insert into podbase_private.attempts (task_id, job_id, number, endpoint, token_hash, next_check_at, created_at)
    select t.task_id, t.job_id, t.attempts_made, p_endpoint, sha256(convert_to(t.token, 'UTF8')),
      p_now + interval '30 s', p_now
    from taken t
    returning id, task_id
  )
  select array_agg(made.id), array_agg(taken.token) into attempts, tokens from made join taken using (task_id);
end $$;

-- Turns up to p_limit ready tasks (at most 1,000) into attempts: state claimed, a lease of 30 s, a token of which only
-- the SHA-256 is kept. Whoever calls takes what is next, whosever it is, at the first endpoint of its route that has
-- room: under its in-flight cap, under its rate, its breaker not open; what is over 16 MiB together is left to the next
-- claim. Emits nothing: what a claim came to is
-- published with the result of its POST.
-- Locks: schedules with skip locked; one advisory lock for all claims at endpoints that are nearly full, so that no number
-- of them at once exceeds a cap. Call it as the last step of a transaction.
-- Caller: service_role (as podbase.claim_tasks) and the functions of reports. Returns claims_json().
create function podbase_private.claim(p_limit int) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := podbase_private.now();
  v_left int := least(p_limit, 1000);
  v_lane record;
  v_endpoint podbase_private.endpoints;
  v_room int;
  v_seed bigint := (random() * 1e9)::bigint;
  v_locked boolean := false;
  v_taken record;
  v_attempts uuid[] := '{}';
  v_tokens text[] := '{}';
begin
  perform podbase_private.admit();
  for v_lane in
    select r.route, r.endpoint, e.id from podbase_private.routes r
    join podbase_private.endpoints e on e.name = r.endpoint and e.enabled
    where exists (select from podbase_private.task_schedule s where s.route = r.route and s.ready_key is not null)
    -- A random route first, so that no route is always served before another; its endpoints in their order.
    order by hashtextextended(r.route, v_seed), r.route, r.position
  loop
    exit when v_left <= 0;
    select * into v_endpoint from podbase_private.endpoints where name = v_lane.endpoint;
    v_room := podbase_private.room(v_endpoint, v_now);
    continue when v_room <= 0;
    -- Sixteen such claims at once could overfill it: from here on, one at a time.
    if not v_locked and v_room <= 16 * least(p_limit, 1000) then
      perform pg_catalog.pg_advisory_xact_lock(hashtextextended('podbase.endpoints', 0));
      v_locked := true;
      v_room := podbase_private.room(v_endpoint, v_now);
      continue when v_room <= 0;
    end if;
    if v_endpoint.breaker <> 'closed' then
      continue when not podbase_private.take_trial(v_endpoint.name, v_now);
    end if;
    v_room := least(v_room, v_left);
    select * into v_taken from podbase_private.claim_lane(v_lane.route, v_endpoint.name, v_room,
      case when random() * 10 < v_room then (v_room + 9) / 10 else 0 end, v_now,
      v_now - (select ageing_after from podbase_private.settings where single));
    continue when v_taken.attempts is null;
    perform podbase_private.spend(v_endpoint, cardinality(v_taken.attempts), v_now);
    v_left := v_left - cardinality(v_taken.attempts);
    v_attempts := v_attempts || v_taken.attempts;
    v_tokens := v_tokens || v_taken.tokens;
  end loop;
  if v_attempts = '{}' then return '[]'; end if;
  if cardinality(v_attempts) = 1 then return podbase_private.claims_json(v_attempts, v_tokens); end if;
  return podbase_private.some_claims_json(v_attempts, v_tokens);
end $$;

-- Whether a claim would find anything: something is ready and an endpoint of its route has room.
create function podbase_private.claimable() returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  return (
    select exists (
      select from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint
      where exists (select from podbase_private.task_schedule s where s.route = r.route and s.ready_key is not null)
        and podbase_private.room(e, podbase_private.now()) > 0));
end $$;
