-- What a plan may look like, and how it becomes rows.

-- Raises PB003 with the path inside the plan as its detail.
create function podbase_private.refuse_plan(p_path text, p_message text) returns void
language plpgsql set search_path = '' as $$
begin
  raise exception '%', p_message using errcode = 'PB003', detail = p_path;
end $$;

-- Refuses a route that no endpoint serves: PB002.
create function podbase_private.check_route(p_route text, p_place int) returns void
language plpgsql set search_path = '' as $$
begin
  perform from podbase_private.routes where route = p_route;
  if not found then
    raise exception 'no endpoint serves the route %', p_route
      using errcode = 'PB002', detail = format('plan.tasks.%s.route', p_place);
  end if;
end $$;

-- Refuses a plan that could never run: no tasks or too many, a malformed name or one used twice, an unknown upstream or
-- route, a map over nothing, a cycle. SQLSTATE PB003 (detail: the path inside the plan), PB002 for an unknown route.
create function podbase_private.check_plan(p_plan jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  v_tasks jsonb := p_plan -> 'tasks';
  v_task jsonb;
  v_names text[] := '{}';
  v_done text[] := '{}';
  v_ready text[];
begin
  if jsonb_typeof(v_tasks) is distinct from 'array' or jsonb_array_length(v_tasks) not between 1 and 100 then
    perform podbase_private.refuse_plan('plan.tasks', 'a plan has between 1 and 100 tasks');
  end if;
  if p_plan ? 'reuse' and not coalesce(p_plan #>> '{reuse,scope}' in ('user', 'global')
    and jsonb_typeof(p_plan #> '{reuse,ttlMs}') = 'number', false) then
    perform podbase_private.refuse_plan('plan.reuse', 'reuse has the scope user or global and a ttlMs');
  end if;
  for i in 0 .. jsonb_array_length(v_tasks) - 1 loop
    v_task := v_tasks -> i;
    if coalesce(v_task ->> 'name', '') !~ '^[a-zA-Z][a-zA-Z0-9_-]{0,62}$' or v_task ->> 'name' = any (v_names) then
      perform podbase_private.refuse_plan(format('plan.tasks.%s.name', i),
        format('a task''s name is missing, malformed or used twice: %s', v_task ->> 'name'));
    end if;
    v_names := v_names || (v_task ->> 'name');
    perform podbase_private.check_route(v_task ->> 'route', i);
    if v_task ? 'reroute' then
      perform podbase_private.check_route(value, i) from jsonb_each_text(v_task -> 'reroute');
    end if;
    if coalesce(v_task ->> 'submitPolicy', 'at_least_once') not in ('at_least_once', 'at_most_once') then
      perform podbase_private.refuse_plan(format('plan.tasks.%s.submitPolicy', i), 'unknown submit policy');
    end if;
    if coalesce((v_task ->> 'maxAttempts')::numeric, 3) not between 1 and 100 then
      perform podbase_private.refuse_plan(format('plan.tasks.%s.maxAttempts', i), 'between 1 and 100 attempts');
    end if;
    if v_task ? 'map' and not coalesce(jsonb_typeof(v_task #> '{map,path}') = 'array'
      and (v_task #>> '{map,over}' = 'input' or (v_task -> 'after') ? (v_task #>> '{map,over}')), false) then
      perform podbase_private.refuse_plan(format('plan.tasks.%s.map', i),
        'a map names the input or one of its task''s upstreams, and a path in it');
    end if;
  end loop;
  if cardinality(v_names) = 1 and coalesce(jsonb_array_length(v_tasks -> 0 -> 'after'), 0) = 0 then
    return;
  end if;
  if exists (select from jsonb_array_elements(v_tasks) t, jsonb_array_elements_text(t -> 'after') a
             where a <> all (v_names)) then
    perform podbase_private.refuse_plan('plan.tasks', 'a task comes after one that the plan does not have');
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
    and pg_column_size(p_request) < 9 * 1024 * 1024 and char_length(p_request ->> 'kind') between 1 and 100
    and coalesce(char_length(p_request ->> 'idempotencyKey'), 1) between 1 and 255 and not p_request ? 'priority' then
    return;
  end if;
  -- RunPod takes 10 MiB (docs.runpod.io/serverless/endpoints/send-requests), the rest of a task's input included.
  if pg_column_size(p_request -> 'input') > 9 * 1024 * 1024 then
    raise exception 'the input is over 9 MiB' using errcode = 'PB007';
  end if;
  if jsonb_typeof(p_request) is distinct from 'object' or p_request ->> 'user' is null
    or p_request ->> 'kind' is null or p_request -> 'input' is null then
    perform podbase_private.refuse_plan('', 'a request names user, kind, input and plan');
  end if;
  if char_length(p_request ->> 'kind') not between 1 and 100 then
    perform podbase_private.refuse_plan('kind', 'a kind has between 1 and 100 characters');
  end if;
  if char_length(p_request ->> 'idempotencyKey') not between 1 and 255 then
    perform podbase_private.refuse_plan('idempotencyKey', 'an idempotency key has between 1 and 255 characters');
  end if;
  if coalesce((p_request ->> 'priority')::numeric, 0) not between -100 and 100 then
    perform podbase_private.refuse_plan('priority', 'a priority is between -100 and 100');
  end if;
end $$;

-- Whether a plan is one task that waits for nothing and says little else. All but its route is checked then.
create function podbase_private.is_plain(p_plan jsonb) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return p_plan - 'tasks' = '{}' and jsonb_typeof(p_plan -> 'tasks') = 'array' and jsonb_array_length(p_plan -> 'tasks') = 1
    and (p_plan #> '{tasks,0}') - '{name,route,artifacts,optional}'::text[] = '{}'
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
