-- What comes back from RunPod: webhooks, polls, calls of workers.

-- Shows a worker's progress (0 to 1): only what is newer by its sequence number, and at most one version a second a
-- job, so that a chatty worker costs neither write load nor the user's Realtime quota. Moves nothing but progress.
create function podbase_private.take_progress(p_attempt uuid, p_report jsonb) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  -- Rounded, because what is very close to 0 is no real.
  v_progress real := round(least(1, greatest(0, (p_report ->> 'progress')::numeric)), 6);
  v_now timestamptz := podbase_private.now();
  v_task uuid;
begin
  if v_progress is null then return '{}'; end if;
  update podbase_private.attempts a set progress_seq = (p_report ->> 'seq')::int
    from podbase.jobs j
    where a.id = p_attempt and j.id = a.job_id and (p_report ->> 'seq')::int > a.progress_seq
      and j.updated_at <= v_now - interval '1 second'
    returning a.task_id into v_task;
  if v_task is null then return '{}'; end if;
  update podbase.tasks set progress = v_progress, version = version + 1, updated_at = v_now
    where id = v_task and v_progress > coalesce(progress, 0);
  return case when found then array[v_task] else '{}' end;
end $$;

-- A 404 from RunPod, or a silence after which it would answer 404. Right after the submission it may not know its own job
-- yet; one that it has shown, or did not show within a minute, is gone. What the worker left in Storage still counts,
-- unless others need its output.
create function podbase_private.take_not_found(
  p_job podbase.jobs, p_attempt podbase_private.attempts, p_error text default 'RunPod answered 404',
  p_class text default 'lost'
) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_task podbase.tasks;
  v_schedule podbase_private.task_schedule;
begin
  if p_attempt.seen_at is null and coalesce(p_attempt.submitted_at, p_attempt.created_at) >= v_now - interval '1 minute'
  then
    return '{}';
  end if;
  select * into v_task from podbase.tasks where id = p_attempt.task_id;
  select * into v_schedule from podbase_private.task_schedule where task_id = p_attempt.task_id;
  if v_schedule.artifacts <> '{}' and v_schedule.item_index is null and not exists (
    select from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
    where t.job_id = v_task.job_id and v_task.name = any (s.after)
  ) and not exists (
    select from jsonb_object_keys(v_schedule.artifacts) d where not exists (
      select from storage.objects o where o.bucket_id = 'podbase'
        and o.name = podbase_private.artifact_path(v_task, p_attempt.id, d))
  ) then
    return podbase_private.complete_attempt(p_job, p_attempt, v_task, v_schedule, null);
  end if;
  return podbase_private.fail_attempt(p_attempt, 'lost', p_class, p_error);
end $$;

-- One report, all but what its transaction does last: the result of record_report, whose claims are empty, and
-- after: {ready, endpoint, fine}, which after_reports() takes, or {}. SQLSTATE PB007 for a report over 20 MB.
create function podbase_private.take_report(report jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_source text := report ->> 'source';
  v_status text := case report ->> 'status' when 'RUNNING' then 'IN_PROGRESS' else report ->> 'status' end;
  v_error text := report ->> 'error';
  v_class text := report ->> 'class';
  v_attempt podbase_private.attempts;
  v_noted podbase_private.attempts;
  v_task podbase.tasks;
  v_job podbase.jobs;
  v_schedule podbase_private.task_schedule;
  v_tasks uuid[] := '{}';
  v_verdict text := 'unchanged';
  v_after jsonb := '{}';
  v_now timestamptz := podbase_private.now();
  v_live boolean;
  v_fine boolean;
  v_version bigint;
  v_stopped boolean := coalesce(report #> '{output,podbase,stopped}' = 'true', false);
begin
  if pg_column_size(report) > 20000000 then
    raise exception 'the report is over 20 MB' using errcode = 'PB007';
  end if;
  v_job := podbase_private.lock_job_of((report ->> 'attempt')::uuid);
  if v_job.id is null then
    return '{"verdict": "unauthorized", "proceed": false, "claims": []}';
  end if;
  select * into strict v_attempt from podbase_private.attempts where id = (report ->> 'attempt')::uuid;
  select * into strict v_task from podbase.tasks where id = v_attempt.task_id;
  select * into strict v_schedule from podbase_private.task_schedule where task_id = v_attempt.task_id;
  -- Digests are compared, so the time this takes tells nothing about the token.
  if v_source is distinct from 'poll' and (
    v_attempt.token_hash is distinct from sha256(convert_to(coalesce(report ->> 'token', ''), 'UTF8'))
    or v_task.name is distinct from report ->> 'task' or v_job.kind is distinct from report ->> 'kind'
  ) then
    return '{"verdict": "unauthorized", "proceed": false, "claims": []}';
  end if;

  v_live := v_attempt.next_check_at is not null;
  v_noted := podbase_private.note_report(v_attempt, report, v_now);
  if v_task.finished_at is not null then
    v_verdict := case when v_attempt.state = 'completed' and v_status = 'COMPLETED' then 'duplicate' else 'late' end;
  elsif v_status = 'COMPLETED' and v_stopped then
    -- The worker was told to stop, and did: that is no result.
    if v_live then v_tasks := podbase_private.fail_attempt(v_noted, 'canceled', 'canceled_remotely', null);
    else v_verdict := 'late'; end if;
  elsif v_status = 'COMPLETED' and v_live and v_class is not null then
    v_tasks := podbase_private.fail_attempt(v_noted, 'failed', v_class, v_error);
  elsif v_status = 'COMPLETED' and (v_live or v_class is null) then
    v_tasks := podbase_private.complete_attempt(v_job, v_noted, v_task, v_schedule, report -> 'output');
    if v_tasks = '{}' then v_verdict := 'late'; end if;
  elsif not v_live then
    v_verdict := 'late';
  elsif v_status = 'IN_QUEUE' and v_attempt.state in ('claimed', 'submit_unknown', 'in_progress') then
    v_noted.state := 'in_queue';
    v_noted.next_check_at := v_now + podbase_private.next_poll(v_attempt.endpoint, 0);
    perform podbase_private.save_attempt(v_noted);
    v_tasks := array[(podbase_private.show_task(v_task.id, 'waiting_for_worker', 'warming_up')).id];
  elsif v_status = 'IN_PROGRESS' then
    if v_attempt.state <> 'in_progress' then
      v_noted.state := 'in_progress';
      v_noted.started_at := v_now;
      -- The lease or evidence window may end too soon or, for what is dear, only with the ttl.
      v_noted.next_check_at := least(
        greatest(v_attempt.next_check_at, v_now + podbase_private.next_poll(v_attempt.endpoint, 0)),
        v_now + interval '10 minutes');
      perform podbase_private.save_attempt(v_noted);
      v_tasks := array[(podbase_private.show_task(v_task.id, 'running', null)).id];
    end if;
    v_tasks := array(select distinct unnest(v_tasks || podbase_private.take_progress(v_attempt.id, report)));
  elsif v_status = 'FAILED' then
    v_class := coalesce(v_class, podbase_private.classify(v_error));
    v_tasks := podbase_private.fail_attempt(v_noted, 'failed', v_class, v_error);
  elsif v_status = 'TIMED_OUT' then
    v_tasks := podbase_private.fail_attempt(v_noted, 'timed_out', 'execution_timeout', v_error);
  elsif v_status = 'CANCELLED' then
    v_tasks := podbase_private.fail_attempt(v_noted, 'canceled', 'canceled_remotely', v_error);
  elsif v_status = 'NOT_FOUND' then
    v_tasks := podbase_private.take_not_found(v_job, v_attempt);
    -- None when its files completed the task.
    select failure_class into v_class from podbase_private.attempts where id = v_attempt.id;
  end if;
  -- Anything else is a state that nobody has heard of: keep looking.

  if v_live and v_source = 'poll' and v_tasks = '{}'
    and v_status not in ('COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED') then
    v_noted.next_check_at := v_now + podbase_private.next_poll(v_attempt.endpoint, v_attempt.polls);
  end if;
  if v_tasks = '{}' then
    -- What it says is worth keeping even when it changes nothing, the id to cancel by before all.
    if v_noted is distinct from v_attempt then
      perform podbase_private.save_attempt(v_noted);
    end if;
  else
    v_verdict := 'applied';
  end if;
  if v_verdict <> 'unchanged' then
    -- What the row says of itself is not stored again in the report.
    insert into podbase_private.webhook_inbox (attempt_id, source, report, verdict, received_at)
    values (v_attempt.id, v_source, report - case when v_verdict = 'applied' and v_status = 'COMPLETED' and v_class is null
      then '{attempt,source,kind,task,token,output}'::text[] else '{attempt,source,kind,task,token}' end,
      v_verdict, v_now);
  end if;
  if v_tasks <> '{}' then
    v_version := podbase_private.publish(v_job, v_tasks, v_source, lower(v_status));
    if v_status not in ('IN_QUEUE', 'IN_PROGRESS') then
      v_after := jsonb_build_object('ready', cardinality(v_tasks));
      if v_class is null then
        -- Success is news to an endpoint's breaker only if there was trouble.
        select true into v_fine from podbase_private.endpoints
          where name = v_attempt.endpoint and (breaker <> 'closed' or run_failures > 0);
      else
        select not breaker into v_fine from podbase_private.failure_classes where class = v_class;
        v_fine := coalesce(v_fine, true);
      end if;
      if v_fine is not null then
        v_after := v_after || jsonb_build_object('endpoint', v_attempt.endpoint, 'fine', v_fine);
      end if;
    end if;
  end if;
  return jsonb_build_object(
    'verdict', v_verdict,
    'proceed', v_live and v_task.finished_at is null and v_schedule.cancel_requested_at is null,
    'job', v_job.id,
    'artifacts', v_schedule.artifacts,
    'user', v_job.user_id,
    'claims', '[]'::jsonb, 'after', v_after);
end $$;

-- What a transaction of reports does last: tells the endpoints' breakers, then claims as much as was made ready.
create function podbase_private.after_reports(p_after jsonb[]) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_after jsonb;
  v_ready int := 0;
  v_seen jsonb[] := '{}';
begin
  foreach v_after in array p_after loop
    v_ready := v_ready + coalesce((v_after ->> 'ready')::int, 0);
    if v_after ? 'endpoint' then v_seen := v_seen || v_after; end if;
  end loop;
  if v_seen <> '{}' then
    for v_after in select a from unnest(v_seen) a order by a ->> 'endpoint' loop
      perform podbase_private.observe_endpoint(v_after ->> 'endpoint', 'run', (v_after -> 'fine')::boolean);
    end loop;
  end if;
  if v_ready = 0 then return '[]'; end if;
  -- Mostly nobody waits, and two looks say so.
  perform from podbase_private.task_schedule where ready_key is not null limit 1;
  if not found then
    perform from podbase_private.task_schedule where parked limit 1;
    if not found then return '[]'; end if;
  end if;
  return podbase_private.claim(least(v_ready, 10 * cardinality(p_after)));
end $$;

-- Takes one report about one attempt: inbox, attempt, task, job and what that unblocks, in one transaction.
--   report: {attempt, source: webhook | poll | worker, token?, kind?, task?, status, providerId?, output?, error?,
--            class?, progress?, seq?, delayTime?, executionTime?, workerId?}
--     status: RunPod's IN_QUEUE, IN_PROGRESS, RUNNING, COMPLETED, FAILED, CANCELLED, TIMED_OUT, or NOT_FOUND for a 404
--     token, kind and task are checked for every source but poll
--   returns: {verdict, proceed, job?, user?, artifacts?, claims}
--     verdict: applied | unchanged | duplicate | late | unauthorized (nothing is stored then)
--     proceed: whether the worker should go on: the attempt is the task's live one and nobody canceled it
--     claims: as many tasks as this made ready or made room for, whosever they are
-- Reports may be lost, doubled, late and out of order; a finished task never changes. The one exception to an
-- attempt's sticky end: a COMPLETED of an earlier attempt, however that ended, wins while the task is open. Emits one
-- version for each changed task. SQLSTATE PB007 for a report over 20 MB (RunPod's own limit of an output).
-- Caller: service_role. Locks: the job, then the endpoint, then what claim() takes.
create function podbase_private.record_report(report jsonb) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare v_result jsonb := podbase_private.take_report(report);
begin
  return (v_result - 'after')
    || jsonb_build_object('claims', podbase_private.after_reports(array[v_result -> 'after']));
end $$;

-- Takes many reports in one transaction: [report, …] as of record_report, at most 1,000. Returns their results in the
-- same order; all claims are with the last one. Emits what each of them would. Caller: service_role. Locks: the jobs in the order of their ids, then as
-- record_report.
create function podbase_private.record_reports(reports jsonb) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  r record;
  v_results jsonb[];
  v_count int;
begin
  if jsonb_typeof(reports) is distinct from 'array' or jsonb_array_length(reports) > 1000 then
    perform podbase_private.refuse_plan('', 'a list of at most 1,000 reports');
  end if;
  v_count := jsonb_array_length(reports);
  if v_count = 0 then return '[]'; end if;
  v_results := array_fill(null::jsonb, array[v_count]);
  for r in
    select x.value as report, x.ordinality as place
    from jsonb_array_elements(reports) with ordinality as x
    order by (select a.job_id from podbase_private.attempts a where a.id = (x.value ->> 'attempt')::uuid), x.ordinality
  loop
    v_results[r.place] := podbase_private.take_report(r.report);
  end loop;
  v_results[v_count] := v_results[v_count] || jsonb_build_object('claims', podbase_private.after_reports(
    array(select v -> 'after' from unnest(v_results) v where v ? 'after')));
  return (select jsonb_agg(v - 'after' order by n) from unnest(v_results) with ordinality as x (v, n));
end $$;
