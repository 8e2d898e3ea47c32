-- What waits for other tasks: opened, expanded, ended or canceled as they end. Like 20260101000700_settle.sql, this expects
-- the job's row to be locked, returns the ids of the tasks it changed, and leaves publishing to its caller.

-- Ends the rows of maps whose items have all ended: completed with the list of their outputs (null for an optional one
-- that failed), else as the first item that did not complete. A list over 100 MB fails it: nobody could read the job.
create function podbase_private.close_maps(p_job uuid) returns uuid[]
language plpgsql volatile set search_path = '' as $$
declare v_closed uuid[];
begin
  -- Outputs are read last, and only where all items have ended: this is called at the end of each of them.
  with ended as materialized (
    select m.task_id,
      array_agg(t.id order by s.item_index) as items,
      min(t.status::text) filter (where t.status in ('failed', 'canceled') and not s.optional) as bad,
      (array_agg(t.error order by t.finished_at) filter (where t.status = 'failed' and not s.optional))[1] as error
    from podbase.tasks g
    join podbase_private.task_schedule m on m.task_id = g.id and m.expanded
    join podbase.tasks t on t.job_id = g.job_id and left(t.name, length(g.name) + 1) = g.name || '['
    join podbase_private.task_schedule s on s.task_id = t.id and s.item_index is not null
    where g.job_id = p_job and g.status = 'blocked'
    group by m.task_id
    having bool_and(t.finished_at is not null)
  ), items as materialized (
    select task_id, items, coalesce(bad, too_big) as bad, case when bad is null and too_big is not null
      then jsonb_build_object('code', 'invalid_output', 'message', 'The items of this step returned over 100 MB together.')
      else error end as error
    from ended cross join lateral (
      select case when bad is null and (
        select sum(pg_column_size(jsonb_build_array(t.output))) from podbase.tasks t where t.id = any (items)
      ) > 100000000 then 'failed' end as too_big) as size
  ), closed as (
    update podbase.tasks g set
      status = case when bad is null then 'completed'
                    when items.error is not null then 'failed' else 'canceled' end::podbase.task_status,
      phase = 'done', version = g.version + 1, output = case when bad is null then (
        select jsonb_agg(t.output order by x.n) from unnest(items.items) with ordinality as x (id, n)
        join podbase.tasks t on t.id = x.id) end,
      error = items.error, progress = case when bad is null then 1 end,
      finished_at = podbase_private.now(), updated_at = podbase_private.now()
    from items where g.id = items.task_id
    returning g.id
  )
  select coalesce(array_agg(id), '{}')
  into v_closed from closed;
  return v_closed;
end $$;

-- Opens what waited for finished tasks, expands and ends maps, and cancels what can no longer run because a required
-- task did not complete; again and again until nothing follows. What cancel() is about to end is left to it, and a copy
-- that waits for another's result (plan.reuse) opens nothing.
create function podbase_private.unblock(p_job uuid) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_changed uuid[] := '{}';
  v_ready uuid[];
  v_dead uuid[];
  v_maps uuid[];
  v_closed uuid[];
  v_now timestamptz := podbase_private.now();
begin
  loop
    v_closed := podbase_private.close_maps(p_job);
    with blocked as (
      select t.id, s.map is not null as is_map,
        bool_or(u.status in ('failed', 'canceled') and not us.optional) as dead,
        coalesce(bool_and(u.finished_at is not null) filter (where u.id is not null), true)
          and bool_or(u.status in ('failed', 'canceled') and not us.optional) is not true
          and not exists (select from podbase_private.copies where job_id = p_job and waiting) as ready
      from podbase.tasks t
      join podbase_private.task_schedule s on s.task_id = t.id and not s.expanded and s.cancel_requested_at is null
      left join podbase.tasks u on u.job_id = t.job_id and u.name = any (s.after)
      left join podbase_private.task_schedule us on us.task_id = u.id
      where t.job_id = p_job and t.status = 'blocked'
      group by t.id, s.map is not null
    )
    select coalesce(array_agg(id) filter (where dead), '{}'),
           coalesce(array_agg(id) filter (where ready and not is_map), '{}'),
           coalesce(array_agg(id) filter (where ready and is_map), '{}')
      into v_dead, v_ready, v_maps from blocked;

    update podbase.tasks set status = 'canceled', phase = 'done', version = version + 1,
        notice = podbase_private.notice('upstream_failed'), finished_at = v_now, updated_at = v_now
      where id = any (v_dead);
    update podbase.tasks set status = 'queued', version = version + 1, updated_at = v_now
      where id = any (v_ready);
    perform podbase_private.enqueue_many(v_ready);
    v_changed := v_changed || v_closed || v_dead || v_ready || v_maps;
    for i in 1 .. cardinality(v_maps) loop
      perform podbase_private.enqueue_many(podbase_private.expand_map(v_maps[i]));
    end loop;
    -- Each of these may let others follow.
    exit when v_dead = '{}' and v_maps = '{}' and v_closed = '{}';
  end loop;
  return v_changed;
end $$;
