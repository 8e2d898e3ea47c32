-- What a plan may look like, and how it becomes rows.

-- Raises PB003 with the path inside the plan as its detail.
create function podbase_private.refuse_plan(p_path text, p_message text) returns void
language plpgsql set search_path = '' as $$
begin
  raise exception '%', p_message using errcode = 'PB003', detail = p_path;
end $$;

-- Refuses what is no object, or one with a key that nobody knows: PB003, its detail the path to it.
create function podbase_private.check_keys(p_path text, p_value jsonb, p_known text[]) returns void
language plpgsql set search_path = '' as $$
declare v_key text;
begin
  if jsonb_typeof(p_value) is distinct from 'object' then
    perform podbase_private.refuse_plan(p_path, 'this has to be an object');
  end if;
  if p_value - p_known = '{}' then return; end if;
  v_key := (select min(k) from jsonb_object_keys(p_value - p_known) k);
  perform podbase_private.refuse_plan(concat_ws('.', nullif(p_path, ''), v_key), format('nobody knows the key %s', v_key));
end $$;

-- Refuses a list that is none, or holds anything but texts: PB003.
create function podbase_private.check_texts(p_path text, p_value jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  if jsonb_typeof(p_value) is distinct from 'array' or p_value @? '$[*] ? (@.type() != "string")' then
    perform podbase_private.refuse_plan(p_path, 'this has to be a list of texts');
  end if;
end $$;

-- Refuses a route that no endpoint serves: PB002, its detail the path to it.
create function podbase_private.check_route(p_route text, p_path text) returns void
language plpgsql set search_path = '' as $$
begin
  perform from podbase_private.routes where route = p_route;
  if not found then
    raise exception 'no endpoint serves the route %', p_route using errcode = 'PB002', detail = p_path;
  end if;
end $$;

-- Refuses a task that could never run, whatever stands around it. SQLSTATE PB003, PB002 for an unknown route.
create function podbase_private.check_task(p_task jsonb, p_path text) returns void
language plpgsql set search_path = '' as $$
declare
  v_key text;
  v_route text;
begin
  perform podbase_private.check_keys(p_path, p_task,
    '{name,route,after,artifacts,optional,submitPolicy,maxAttempts,reroute,map}');
  if coalesce(p_task ->> 'name', '') !~ '^[a-zA-Z][a-zA-Z0-9_-]{0,62}$' then
    perform podbase_private.refuse_plan(p_path || '.name',
      format('a task''s name is missing or malformed: %s', p_task ->> 'name'));
  end if;
  perform podbase_private.check_route(p_task ->> 'route', p_path || '.route');
  if p_task -> 'after' <> '[]' then
    perform podbase_private.check_texts(p_path || '.after', p_task -> 'after');
  end if;
  -- The names stand in paths of Storage.
  if p_task ? 'artifacts' and (jsonb_typeof(p_task -> 'artifacts') <> 'object'
    or p_task -> 'artifacts' @? '$.keyvalue() ?
      (!(@.key like_regex "^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$") || @.value.type() != "string")') then
    perform podbase_private.refuse_plan(p_path || '.artifacts',
      'artifacts are {name: content type}, a name being letters, digits and _.- only');
  end if;
  if jsonb_typeof(coalesce(p_task -> 'optional', 'true')) <> 'boolean' then
    perform podbase_private.refuse_plan(p_path || '.optional', 'true or false');
  end if;
  if coalesce(p_task -> 'submitPolicy', '"at_least_once"') not in ('"at_least_once"', '"at_most_once"') then
    perform podbase_private.refuse_plan(p_path || '.submitPolicy', 'unknown submit policy');
  end if;
  if p_task ? 'maxAttempts' and not podbase_private.is_whole(p_task -> 'maxAttempts', 1, 100) then
    perform podbase_private.refuse_plan(p_path || '.maxAttempts', 'between 1 and 100 attempts');
  end if;
  if p_task ? 'reroute' then
    perform podbase_private.check_keys(p_path || '.reroute', p_task -> 'reroute',
      (select array_agg(class) from podbase_private.failure_classes));
    for v_key, v_route in select * from jsonb_each_text(p_task -> 'reroute') loop
      perform podbase_private.check_route(v_route, concat_ws('.', p_path, 'reroute', v_key));
    end loop;
  end if;
  if p_task ? 'map' then
    perform podbase_private.check_keys(p_path || '.map', p_task -> 'map', '{over,path}');
    perform podbase_private.check_texts(p_path || '.map.path', p_task #> '{map,path}');
    if not coalesce(p_task #>> '{map,over}' = 'input' or (p_task -> 'after') ? (p_task #>> '{map,over}'), false) then
      perform podbase_private.refuse_plan(p_path || '.map.over',
        'a map goes over the input or one of its task''s upstreams');
    end if;
  end if;
end $$;

-- Whether a JSON value is a whole number from p_least to p_most.
create function podbase_private.is_whole(p_value jsonb, p_least bigint, p_most bigint) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_typeof(p_value) = 'number' and p_value::numeric between p_least and p_most
    and p_value::numeric = trunc(p_value::numeric);
end $$;

-- Refuses a plan that could never run: no tasks or too many, a malformed task or a name used twice, an unknown key,
-- upstream or route, a map over nothing, a cycle. SQLSTATE PB003 (detail: the path inside the request), PB002 for an
-- unknown route, PB007 for a plan over 1 MiB.
create function podbase_private.check_plan(p_plan jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  v_tasks jsonb;
  v_names text[] := '{}';
  v_done text[] := '{}';
  v_ready text[];
  v_place bigint;
  v_after text;
begin
  if pg_column_size(p_plan) > 1024 * 1024 then
    raise exception 'the plan is over 1 MiB' using errcode = 'PB007';
  end if;
  perform podbase_private.check_keys('plan', p_plan, '{tasks,reuse}');
  v_tasks := p_plan -> 'tasks';
  if jsonb_typeof(v_tasks) is distinct from 'array' or jsonb_array_length(v_tasks) not between 1 and 100 then
    perform podbase_private.refuse_plan('plan.tasks', 'a plan has between 1 and 100 tasks');
  end if;
  if p_plan ? 'reuse' then
    perform podbase_private.check_keys('plan.reuse', p_plan -> 'reuse', '{scope,ttlMs}');
    -- At most a hundred years.
    if not coalesce(p_plan #>> '{reuse,scope}' in ('user', 'global')
      and podbase_private.is_whole(p_plan #> '{reuse,ttlMs}', 0, 3155760000000), false) then
      perform podbase_private.refuse_plan('plan.reuse', 'reuse has the scope user or global and a ttlMs');
    end if;
  end if;
  for i in 0 .. jsonb_array_length(v_tasks) - 1 loop
    perform podbase_private.check_task(v_tasks -> i, 'plan.tasks.' || i);
    if v_tasks -> i ->> 'name' = any (v_names) then
      perform podbase_private.refuse_plan(format('plan.tasks.%s.name', i),
        format('a task''s name is used twice: %s', v_tasks -> i ->> 'name'));
    end if;
    v_names := v_names || (v_tasks -> i ->> 'name');
  end loop;
  if cardinality(v_names) = 1 and coalesce(v_tasks -> 0 -> 'after', '[]') = '[]' then
    return;
  end if;
  select n - 1, a into v_place, v_after
    from jsonb_array_elements(v_tasks) with ordinality as x (t, n), jsonb_array_elements_text(t -> 'after') a
    where a <> all (v_names) order by n limit 1;
  if found then
    perform podbase_private.refuse_plan(format('plan.tasks.%s.after', v_place),
      format('a task comes after one that the plan does not have: %s', v_after));
  end if;
  -- Peel off what has nothing undone before it; what is left over at a standstill is a cycle.
  loop
    select array_agg(t ->> 'name') into v_ready from jsonb_array_elements(v_tasks) t
    where t ->> 'name' <> all (v_done)
      and not exists (select from jsonb_array_elements_text(t -> 'after') a where a <> all (v_done));
    exit when v_ready is null;
    v_done := v_done || v_ready;
  end loop;
  if cardinality(v_done) < cardinality(v_names) then
    perform podbase_private.refuse_plan('plan.tasks', 'the plan''s tasks wait for each other in a circle');
  end if;
end $$;

-- Refuses a request that is too big or malformed, its plan aside: PB003, PB007 (too large).
create function podbase_private.check_request(p_request jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  -- Most are fine, and one look says so.
  if jsonb_typeof(p_request) = 'object' and p_request ?& '{user,input}' and p_request ->> 'user' is not null
    and pg_column_size(p_request) < 9 * 1024 * 1024
    and jsonb_typeof(p_request -> 'kind') = 'string' and char_length(p_request ->> 'kind') between 1 and 100
    and jsonb_typeof(coalesce(p_request -> 'idempotencyKey', 'null')) in ('string', 'null')
    and coalesce(char_length(p_request ->> 'idempotencyKey'), 1) between 1 and 255
    and p_request - '{user,kind,input,idempotencyKey,plan}'::text[] = '{}' then
    return;
  end if;
  -- RunPod takes 10 MiB (docs.runpod.io/serverless/endpoints/send-requests), the rest of a task's input included.
  if pg_column_size(p_request -> 'input') > 9 * 1024 * 1024 then
    raise exception 'the input is over 9 MiB' using errcode = 'PB007';
  end if;
  perform podbase_private.check_keys('', p_request, '{user,kind,input,idempotencyKey,priority,runAt,plan}');
  if p_request ->> 'user' is null or p_request -> 'input' is null then
    perform podbase_private.refuse_plan('', 'a request names user, kind, input and plan');
  end if;
  if jsonb_typeof(p_request -> 'kind') is distinct from 'string'
    or char_length(p_request ->> 'kind') not between 1 and 100 then
    perform podbase_private.refuse_plan('kind', 'a kind has between 1 and 100 characters');
  end if;
  if jsonb_typeof(coalesce(p_request -> 'idempotencyKey', 'null')) not in ('string', 'null')
    or char_length(p_request ->> 'idempotencyKey') not between 1 and 255 then
    perform podbase_private.refuse_plan('idempotencyKey', 'an idempotency key has between 1 and 255 characters');
  end if;
  if not podbase_private.is_whole(coalesce(nullif(p_request -> 'priority', 'null'), '0'), -100, 100) then
    perform podbase_private.refuse_plan('priority', 'a priority is a whole number between -100 and 100');
  end if;
  if p_request ? 'runAt' and not coalesce(jsonb_typeof(p_request -> 'runAt') = 'string'
    and p_request ->> 'runAt' ~ '^\d{4}-' and pg_input_is_valid(p_request ->> 'runAt', 'timestamptz'), false) then
    perform podbase_private.refuse_plan('runAt', 'runAt is a time, such as 2026-01-01T00:00:00Z');
  end if;
end $$;

-- Whether a plan is one task that waits for nothing and says no more than its name. All but its route is checked then.
create function podbase_private.is_plain(p_plan jsonb) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_typeof(p_plan) = 'object' and p_plan - 'tasks' = '{}'
    and jsonb_typeof(p_plan -> 'tasks') = 'array' and jsonb_array_length(p_plan -> 'tasks') = 1
    and jsonb_typeof(p_plan #> '{tasks,0}') = 'object' and (p_plan #> '{tasks,0}') - '{name,route}'::text[] = '{}'
    and p_plan #>> '{tasks,0,name}' ~ '^[a-zA-Z][a-zA-Z0-9_-]{0,62}$';
end $$;

-- Turns the row of a map into its items, as queued tasks name[0], name[1], … that share its upstreams; an empty list
-- completes it. A value that is no list, or one of over 1,000, fails it. Returns the items, which then have to be queued.
-- The job's row must be locked.
create function podbase_private.expand_map(p_task uuid) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_task podbase.tasks;
  v_map podbase_private.task_schedule;
  v_items jsonb;
  v_path text[];
  v_ready uuid[];
  v_now timestamptz := podbase_private.now();
begin
  update podbase_private.task_schedule set expanded = true where task_id = p_task returning * into strict v_map;
  update podbase.tasks set version = version + 1, updated_at = v_now where id = p_task returning * into strict v_task;
  v_path := array(select jsonb_array_elements_text(v_map.map -> 'path'));
  if v_map.map ->> 'over' = 'input' then
    select input #> v_path into v_items from podbase.jobs where id = v_task.job_id;
  else
    select output #> v_path into v_items from podbase.tasks
      where job_id = v_task.job_id and name = v_map.map ->> 'over';
  end if;
  if jsonb_typeof(v_items) is distinct from 'array' or jsonb_array_length(v_items) > 1000 then
    update podbase.tasks set status = 'failed', phase = 'done', finished_at = v_now,
        error = jsonb_build_object('code', 'invalid_output',
          'message', 'What this step was to go through is no list of at most 1,000.')
      where id = p_task;
    return '{}';
  end if;
  with made as (
    insert into podbase.tasks (job_id, user_id, name, status, created_at, updated_at)
    select v_task.job_id, v_task.user_id, format('%s[%s]', v_task.name, n - 1), 'queued',
      -- Shown with their map, before the next task of the plan.
      v_task.created_at, v_now
    from jsonb_array_elements(v_items) with ordinality as i (item, n)
    returning id, name
  ), scheduled as (
    insert into podbase_private.task_schedule (task_id, job_id, user_id, route, rank, after, artifacts, optional,
      submit_policy, max_attempts, reroute, item_index, item)
    select made.id, v_task.job_id, v_task.user_id, v_map.route, v_map.rank, v_map.after, v_map.artifacts, v_map.optional,
      v_map.submit_policy, v_map.max_attempts, v_map.reroute, n - 1, item
    from jsonb_array_elements(v_items) with ordinality as i (item, n)
    join made on made.name = format('%s[%s]', v_task.name, n - 1)
    returning task_id
  )
  select coalesce(array_agg(task_id), '{}') into v_ready from scheduled;
  update podbase.jobs set task_count = task_count + cardinality(v_ready) where id = v_task.job_id;
  if v_ready = '{}' then
    update podbase.tasks set status = 'completed', phase = 'done', output = '[]', progress = 1, finished_at = v_now
      where id = p_task;
  end if;
  return v_ready;
end $$;
