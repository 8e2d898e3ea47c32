-- What RunPod answered to the POSTs.

-- Locks the job of an attempt and returns its row; null when there is no such attempt. Every function of reports starts
-- so, and reads what else it needs after: it may have changed while the lock was waited for.
create function podbase_private.lock_job_of(p_attempt uuid) returns podbase.jobs
language plpgsql set search_path = '' as $$
declare
  v_id uuid;
  v_job podbase.jobs;
begin
  select job_id into v_id from podbase_private.attempts where id = p_attempt;
  select * into v_job from podbase.jobs where id = v_id for update;
  return v_job;
end $$;

-- One result of a POST, as record_submissions takes it.
create type podbase_private.submission as (
  attempt uuid, outcome text, "providerId" text, class text, error text, "retryAfterMs" int
);

-- Records how the POSTs of claimed attempts ended.
--   results: [{attempt, outcome: accepted | rejected | not_sent | unknown | posting, providerId?, class?, error?,
--             retryAfterMs?}]
--     accepted  RunPod answered with an id
--     rejected  RunPod clearly refused (class says why); not_sent: the request certainly never left
--     unknown   no clear answer: the job may exist and be paid; never posted again before the evidence window is over
--   posting   about to be posted, which a claim with submitPolicy at_most_once has to tell before: changes something only
--             once and as long as the lease holds, and whoever has changed nothing must not post. A lease that runs
--             out without it leaves no doubt (see expire())
--   returns: the number of results that changed something
-- Idempotent: an attempt that is past its submission keeps its state; unknown attempts are skipped, and what was accepted
-- for a job that is deleted meanwhile is to be canceled at RunPod. Emits one version for each changed task. SQLSTATE PB003
-- for another outcome, or no list. Caller: service_role. Locks: the jobs in the order of their ids, then endpoints by name.
create function podbase_private.record_submissions(results jsonb) returns int
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  r podbase_private.submission;
  v_job podbase.jobs;
  v_attempt podbase_private.attempts;
  v_endpoint podbase_private.endpoints;
  v_tasks uuid[];
  v_now timestamptz := podbase_private.now();
  v_changed int := 0;
  v_fine text[] := '{}';
  v_broken text[] := '{}';
  v_name text;
  v_task podbase.tasks;
  v_version bigint;
begin
  if jsonb_typeof(results) is distinct from 'array' then
    perform podbase_private.refuse_plan('', 'a list of results');
  end if;
  if jsonb_array_length(results) > 1 then
    -- Looked up one by one: a join could read all attempts there are.
    select jsonb_agg(x order by (select a.job_id from podbase_private.attempts a where a.id = (x ->> 'attempt')::uuid),
      x ->> 'attempt') into results from jsonb_array_elements(results) x;
  end if;
  for i in 0 .. jsonb_array_length(results) - 1 loop
    r := jsonb_populate_record(null::podbase_private.submission, results -> i);
    v_job := podbase_private.lock_job_of(r.attempt);
    if v_job.id is null then
      -- Its job was deleted while it was posted.
      update podbase_private.orphans set provider_id = r."providerId", due_at = v_now
        where attempt_id = r.attempt and provider_id is null and r.outcome = 'accepted' and r."providerId" is not null;
      continue;
    end if;
    select * into strict v_attempt from podbase_private.attempts where id = r.attempt;
    if r.outcome = 'posting' then
      update podbase_private.attempts set submitted_at = v_now
        where id = r.attempt and state = 'claimed' and submitted_at is null and next_check_at > v_now;
      if found then v_changed := v_changed + 1; end if;
      continue;
    end if;
    if v_attempt.state not in ('claimed', 'submit_unknown') then
      -- A report may have been faster than RunPod's own answer; the id is worth keeping all the same.
      update podbase_private.attempts set provider_id = r."providerId", submitted_at = v_now,
          cancel_requested_at = case when cancel_requested_at = 'infinity' then v_now else cancel_requested_at end
        where id = r.attempt and r.outcome = 'accepted' and provider_id is null;
      continue;
    end if;
    if v_endpoint.name is distinct from v_attempt.endpoint then
      select * into strict v_endpoint from podbase_private.endpoints where name = v_attempt.endpoint;
    end if;

    v_tasks := '{}';
    if r.outcome = 'accepted' then
      -- A lease that ends about when the first poll is due anyhow stays: an index less is written.
      update podbase_private.attempts set
          provider_id = coalesce(provider_id, r."providerId"), submitted_at = v_now, state = 'in_queue',
          next_check_at = case when next_check_at between v_now + v_endpoint.first_poll_ms * interval '0.8 ms'
                               and v_now + v_endpoint.first_poll_ms * interval '1 ms' then next_check_at
                               else v_now + v_endpoint.first_poll_ms * interval '1 ms' end
        where id = v_attempt.id;
      v_task := podbase_private.show_task(v_attempt.task_id, 'waiting_for_worker', 'warming_up');
      if v_endpoint.submit_failures > 0 then v_fine := v_fine || v_endpoint.name; end if;
      if v_job.task_count = 1 then
        v_changed := v_changed + 1;
        v_version := podbase_private.publish_single(v_job, v_task, false, 'engine', 'submission accepted');
        continue;
      end if;
      v_tasks := array[v_task.id];
    elsif r.outcome = 'unknown' then
      v_broken := v_broken || v_endpoint.name;
      if v_attempt.state = 'claimed' then
        v_attempt.state := 'submit_unknown';
        v_attempt.error := left(r.error, 10000);
        v_attempt.submitted_at := v_now;
        v_attempt.next_check_at := v_now + podbase_private.evidence_window(v_endpoint);
        perform podbase_private.save_attempt(v_attempt);
        v_task := podbase_private.show_task(v_attempt.task_id, 'confirming', 'confirming');
        v_tasks := array[v_task.id];
      end if;
    elsif r.outcome is null or r.outcome not in ('rejected', 'not_sent') then
      perform podbase_private.refuse_plan('outcome', 'accepted, rejected, not_sent, unknown or posting');
    else
      r.class := coalesce(r.class, 'transient_network');
      if exists (select from podbase_private.failure_classes where class = r.class and breaker) then
        v_broken := v_broken || v_endpoint.name;
      end if;
      v_tasks := podbase_private.fail_attempt(v_attempt, 'rejected', r.class, r.error, r."retryAfterMs");
    end if;
    continue when v_tasks = '{}';
    v_version := podbase_private.publish(v_job, v_tasks, 'engine', 'submission ' || r.outcome);
    v_changed := v_changed + 1;
  end loop;

  if v_fine <> '{}' or v_broken <> '{}' then
    for v_name in select distinct e from unnest(v_fine || v_broken) e order by 1 loop
      if v_name = any (v_fine) then
        perform podbase_private.observe_endpoint(v_name, 'submit', true);
      end if;
      perform podbase_private.observe_endpoint(v_name, 'submit', false) from unnest(v_broken) b where b = v_name;
    end loop;
  end if;
  return v_changed;
end $$;
