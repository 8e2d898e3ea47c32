-- The fair queue of a route: what is next, and who may be in it.

-- Virtual time of one task of a user of weight 1.
create function podbase_private.turn() returns int
language plpgsql immutable set search_path = '' as $$
begin
  return 1000;
end $$;

-- The next key of a user in a route's queue (start-time fair queueing, a key stored once): behind the user's own
-- waiting tasks, beside everybody else's first. One user with 10,000 tasks then delays another by one task, not by
-- 10,000. Priorities have queues of their own; task_schedule_oldest keeps lower ones from starving.
create function podbase_private.next_ready_key(p_route text, p_user uuid, p_rank smallint) returns bigint
language plpgsql volatile set search_path = '' as $$
declare
  v_head bigint := (select s.ready_key from podbase_private.task_schedule s
    where s.route = p_route and s.rank = p_rank and s.ready_key is not null order by s.ready_key limit 1);
  v_last bigint;
begin
  if v_head is null then return 0; end if;
  v_last := (select s.ready_key from podbase_private.task_schedule s
    where s.route = p_route and s.user_id = p_user and s.rank = p_rank and s.ready_key is not null
    order by s.ready_key desc limit 1);
  return greatest(v_head, v_last + podbase_private.turn()
    / coalesce((select l.weight from podbase_private.user_limits l where l.user_id = p_user), 1));
end $$;

-- How many tasks a user may have between ready and done; null: as many as they like.
create function podbase_private.user_limit(p_user uuid) returns int
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce((select max_in_flight from podbase_private.user_limits where user_id = p_user),
                    (select max_in_flight_per_user from podbase_private.settings where single)));
end $$;

-- Puts tasks into the fair queue of their routes, or, where their user has a limit, among those that wait for one of
-- the user's slots. Their jobs' rows must be locked, or their schedules.
create function podbase_private.enqueue(p_tasks uuid[]) returns void
language plpgsql set search_path = '' as $$
declare
  v_task podbase_private.task_schedule;
  v_now timestamptz := podbase_private.now();
begin
  for i in 1 .. cardinality(p_tasks) loop
    select * into v_task from podbase_private.task_schedule where task_id = p_tasks[i];
    if not v_task.has_slot and podbase_private.user_limit(v_task.user_id) is not null then
      update podbase_private.task_schedule set parked = true, ready_since = v_now, run_at = null
        where task_id = v_task.task_id;
    else
      update podbase_private.task_schedule set ready_since = v_now, run_at = null,
          ready_key = podbase_private.next_ready_key(v_task.route, v_task.user_id, v_task.rank)
        where task_id = v_task.task_id;
    end if;
  end loop;
end $$;

-- Gives free slots of users with a limit to their tasks that wait for one, for a hundred users at most, from a random one
-- on: should those have no free slot, the next call comes to others. One transaction at a time, so that no limit is ever
-- exceeded; whoever comes meanwhile leaves it to the next claim or tick.
create function podbase_private.admit() returns void
language plpgsql set search_path = '' as $$
declare
  v_from uuid := gen_random_uuid();
  v_user uuid;
  v_room int;
  v_tasks uuid[];
begin
  if not exists (select from podbase_private.task_schedule where parked) then return; end if;
  if not pg_catalog.pg_try_advisory_xact_lock(hashtextextended('podbase.admit', 0)) then return; end if;
  for v_user in
    with recursive parked as (
      select null::uuid as first, v_from as user_id, 0 as n
      union all
      select coalesce(parked.first, next.user_id), next.user_id, n + 1
      from parked cross join lateral (select coalesce(
        (select s.user_id from podbase_private.task_schedule s
         where s.parked and s.user_id > parked.user_id order by s.user_id limit 1),
        (select s.user_id from podbase_private.task_schedule s where s.parked order by s.user_id limit 1)) as user_id
      ) as next
      where n < 100 and next.user_id is distinct from parked.first
    )
    select user_id from parked where n > 0
  loop
    v_room := coalesce(podbase_private.user_limit(v_user), 1000) - (
      select count(*) from podbase_private.task_schedule s where s.user_id = v_user and s.has_slot);
    continue when v_room <= 0;
    select coalesce(array_agg(task_id), '{}') into v_tasks from (
      select s.task_id from podbase_private.task_schedule s where s.user_id = v_user and s.parked
      order by s.rank, s.ready_since, s.task_id limit v_room for update skip locked
    ) as next;
    update podbase_private.task_schedule set parked = false, has_slot = true where task_id = any (v_tasks);
    perform podbase_private.enqueue(v_tasks);
  end loop;
end $$;

-- Tasks that would be claimed before the job's first waiting task, counted no further than 1,000: {position, capped}.
-- Null when none of the job's tasks waits in a queue. Says how many, never whose.
create function podbase_private.queue_position(p_job uuid) returns jsonb
language plpgsql stable security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  return (
    select jsonb_build_object('position', least(ahead, 1000), 'capped', ahead > 1000)
    from (
      select min((
        select count(*) from (
          select from podbase_private.task_schedule o
          where o.route = s.route and o.ready_key is not null
            and (o.rank, o.ready_key, o.task_id) < (s.rank, s.ready_key, s.task_id)
          limit 1001) as bounded)) as ahead
      from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
      where t.job_id = p_job and s.ready_key is not null
    ) as first
    where ahead is not null);
end $$;
