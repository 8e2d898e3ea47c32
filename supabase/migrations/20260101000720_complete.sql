-- How an attempt completes its task. Like 20260101000700_settle.sql, this expects the job's row to be locked, and leaves
-- publishing to its caller.

-- Completes an attempt's task, if its artifacts are there; else a live attempt fails as missing_output, and nothing
-- comes of one that was given up. Other live attempts of the task are superseded and canceled at RunPod. All rows as they
-- are now; what a report adds to the attempt's is saved with it.
create function podbase_private.complete_attempt(
  p_job podbase.jobs, p_attempt podbase_private.attempts, p_task podbase.tasks,
  p_schedule podbase_private.task_schedule, p_output jsonb
) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_missing text;
  v_late boolean := p_attempt.next_check_at is null;
  v_now timestamptz := podbase_private.now();
begin
  if p_schedule.artifacts <> '{}' then
    v_missing := podbase_private.keep_artifacts(
      p_task, p_attempt.id, p_schedule.artifacts, coalesce(p_output #> '{podbase,artifacts}', '{}'));
    if v_missing is not null and v_late then return '{}'; end if;
    if v_missing is not null then
      return podbase_private.fail_attempt(p_attempt, 'failed', 'missing_output', 'not in storage: ' || v_missing);
    end if;
  end if;
  if v_late then
    -- Its task may be in a queue. A claim that holds it is waited for, and its attempt is then seen below.
    perform from podbase_private.task_schedule where task_id = p_task.id for update;
  end if;
  update podbase_private.attempts set
      state = 'completed', next_check_at = null, seen_at = p_attempt.seen_at, started_at = p_attempt.started_at,
      finished_at = v_now, delay_ms = p_attempt.delay_ms, execution_ms = p_attempt.execution_ms,
      provider_id = p_attempt.provider_id, worker_id = p_attempt.worker_id, failure_class = null, error = null
    where id = p_attempt.id;
  if v_late then
    perform podbase_private.drop_uploads(id, task_id) from podbase_private.attempts
      where task_id = p_task.id and id <> p_attempt.id and next_check_at is not null;
    update podbase_private.attempts set state = 'superseded', next_check_at = null, finished_at = v_now,
        cancel_requested_at = case when provider_id is null then 'infinity' else v_now end
      where task_id = p_task.id and id <> p_attempt.id and next_check_at is not null;
  end if;
  if v_late or p_schedule.has_slot then
    perform podbase_private.leave_queue(p_task.id);
  end if;
  update podbase.tasks set
      status = 'completed', phase = 'done', version = p_task.version + 1, error = null, notice = null, progress = 1,
      output = case when jsonb_typeof(p_output) = 'object' then p_output - 'podbase' else p_output end,
      finished_at = v_now, updated_at = v_now
    where id = p_task.id;
  return array[p_task.id] || case when p_job.task_count > 1 then podbase_private.unblock(p_job.id) else '{}' end;
end $$;
