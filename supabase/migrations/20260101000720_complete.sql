-- How an attempt completes its task. Like 20260101000700_settle.sql, this expects the job's row to be locked, and leaves
-- publishing to its caller.

-- Completes an attempt's task, if its artifacts are there; else a live attempt fails as missing_output, and nothing
-- comes of one that was given up. Other live attempts of the task are superseded and canceled at RunPod.
create function podbase_private.complete_attempt(p_attempt podbase_private.attempts, p_output jsonb) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_task podbase.tasks;
  v_declared jsonb;
  v_missing text;
  v_now timestamptz := podbase_private.now();
begin
  select artifacts into strict v_declared from podbase_private.task_schedule where task_id = p_attempt.task_id;
  if v_declared <> '{}' then
    select * into strict v_task from podbase.tasks where id = p_attempt.task_id;
    v_missing := podbase_private.keep_artifacts(
      v_task, p_attempt.id, v_declared, coalesce(p_output #> '{podbase,artifacts}', '{}'));
    if v_missing is not null and p_attempt.next_check_at is null then return '{}'; end if;
    if v_missing is not null then
      return podbase_private.fail_attempt(p_attempt, 'failed', 'missing_output', 'not in storage: ' || v_missing);
    end if;
  end if;
  if p_attempt.next_check_at is null then
    -- Late, so its task may be in a queue. A claim that holds it is waited for, and its attempt is then seen below.
    perform from podbase_private.task_schedule where task_id = p_attempt.task_id for update;
  end if;
  p_attempt.state := 'completed';
  p_attempt.next_check_at := null;
  p_attempt.finished_at := v_now;
  p_attempt.failure_class := null;
  p_attempt.error := null;
  perform podbase_private.save_attempt(p_attempt);
  if p_attempt.number > 1 or exists (
    select from podbase_private.attempts where task_id = p_attempt.task_id and number > p_attempt.number) then
    update podbase_private.attempts set state = 'superseded', next_check_at = null, finished_at = v_now,
        cancel_requested_at = v_now
      where task_id = p_attempt.task_id and id <> p_attempt.id and next_check_at is not null;
  end if;
  return podbase_private.finish_task(p_attempt.task_id, 'completed',
    case when jsonb_typeof(p_output) = 'object' then p_output - 'podbase' else p_output end, null);
end $$;
