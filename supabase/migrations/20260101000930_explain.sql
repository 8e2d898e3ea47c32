-- A job's history in words.

-- What happened to a job, oldest first: {job, status, phase, timeline: [{at, version?, actor, text}]}. With p_inside, the
-- attempts as well: endpoints, RunPod's ids and errors, which are nobody's business but the operator's.
create function podbase_private.explain(p_job uuid, p_inside boolean) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    with published as (
      select e.at, e.version as place, e.version, e.actor,
        case when e.task_id is null then format('The job was %s.', e.cause)
          else format('Task %s is %s%s (%s).', coalesce(t.name, '?'), e.task_status,
            case when e.task_phase not in ('done', 'queued')
              then ', ' || replace(e.task_phase::text, '_', ' ') else '' end, e.cause) end as text
      from podbase_private.job_events e left join podbase.tasks t on t.id = e.task_id
      where e.job_id = p_job
    ), inside as (
      select x.at, x.place, null::bigint as version, 'engine' as actor,
        format('Task %s, attempt %s at %s: %s', t.name, a.number, a.endpoint, x.text) as text
      from podbase.tasks t join podbase_private.attempts a on a.task_id = t.id
      cross join lateral (values
        (a.created_at, 0, 'claimed.'),
        (a.submitted_at, 0, 'submitted' || coalesce(' as ' || a.provider_id, '') || '.'),
        (a.finished_at, 0, a.state || coalesce(' (' || a.failure_class || ')', '') || coalesce(': ' || a.error, '')
          || coalesce(' after ' || a.delay_ms || ' ms of waiting', '')
          || coalesce(' and ' || a.execution_ms || ' ms of work', '') || '.')
      ) as x (at, place, text)
      where p_inside and t.job_id = p_job and x.at is not null
    )
    select jsonb_build_object('job', j.id, 'status', j.status, 'phase', j.phase, 'timeline', (
      select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'at', l.at, 'version', l.version, 'actor', l.actor, 'text', l.text)) order by l.at, l.place), '[]')
      from (select * from published union all select * from inside) as l))
    from podbase.jobs j where j.id = p_job);
end $$;

-- For the owner. SQLSTATE PB005. Caller: authenticated.
create function podbase_private.explain_my_job(p_job uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return podbase_private.explain(podbase_private.find_job(p_job, null, true), false);
end $$;

-- For the operator, attempts included. SQLSTATE PB005. Caller: service_role.
create function podbase_private.operator_explain_job(p_job uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return podbase_private.explain(podbase_private.find_job(p_job, null, false), true);
end $$;
