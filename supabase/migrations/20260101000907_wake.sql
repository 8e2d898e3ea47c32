-- Waking reconcile, and hearing from it: what goes out, what came of it, and how much may be asked of RunPod.

-- Calls to RunPod in any ten seconds, all endpoints together; a fifth and more below what RunPod takes for each one: 2000
-- of /status and 100 of /cancel (docs.runpod.io/serverless/endpoints/send-requests). /run has buckets of its own.
create table podbase_private.call_budgets (
  operation text primary key,
  per_10s int not null check (per_10s >= 6),
  -- The moment up to which the calls made so far have used the rate.
  used_to timestamptz not null default '-infinity'
) with (fillfactor = 50);
insert into podbase_private.call_budgets (operation, per_10s) values ('status', 1500), ('cancel', 80);
alter table podbase_private.call_budgets enable row level security;
revoke all on podbase_private.call_budgets from public, anon, authenticated, service_role;

-- How many of p_wanted calls may be made now: a sixth of the limit at once, refilled by a twelfth a second, so that no ten
-- seconds see more than the limit. Locks the budget's row, so that two callers never get the same calls.
create function podbase_private.calls_left(p_operation text, p_wanted int) returns int
language plpgsql volatile set search_path = '' as $$
declare
  v_budget podbase_private.call_budgets;
  v_ahead double precision;
begin
  select * into strict v_budget from podbase_private.call_budgets where operation = p_operation for update;
  v_ahead := extract(epoch from greatest(v_budget.used_to, podbase_private.now()) - podbase_private.now())
    * v_budget.per_10s / 12;
  -- Further ahead than the whole bucket: the clock was set back.
  return greatest(0, least(p_wanted, floor(v_budget.per_10s / 6.0
    - case when v_ahead <= v_budget.per_10s / 6.0 + 1 then least(v_ahead, v_budget.per_10s / 6.0) else 0 end)::int));
end $$;

-- Takes p_count of them.
create function podbase_private.spend_calls(p_operation text, p_count int) returns void
language plpgsql volatile set search_path = '' as $$
declare v_now timestamptz := podbase_private.now();
begin
  if p_count = 0 then return; end if;
  update podbase_private.call_budgets set used_to = p_count * interval '12 s' / per_10s
      + case when used_to between v_now and v_now + interval '3 s' then used_to else v_now end
    where operation = p_operation;
end $$;

-- A webhook that counts only as a hint, because RunPod signs nothing and the task's definition asks to have what it says
-- confirmed: checks its token as record_report does, keeps RunPod's id and what it says of times, and returns
-- record_report's result plus poll, what to look up, as in look_ups(); absent when nothing can come of it. The next look
-- is set to 15 s from now, so that the result is fetched even if the caller dies.
-- report: as of record_report; output and error are not read. Emits a version where it is the first answer to a POST, else
-- nothing. Caller: service_role. Locks: the job.
create function podbase_private.record_hint(report jsonb) returns jsonb
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_attempt podbase_private.attempts;
  v_result jsonb;
  v_now timestamptz := podbase_private.now();
begin
  perform podbase_private.lock_job_of((report ->> 'attempt')::uuid);
  select * into v_attempt from podbase_private.attempts where id = (report ->> 'attempt')::uuid;
  -- Where the POST has no answer yet, it is one.
  v_result := podbase_private.take_report((report - '{output,error,class}'::text[]) || jsonb_build_object('status',
    case when v_attempt.state in ('claimed', 'submit_unknown') then 'IN_QUEUE' else 'HINT' end)) - 'after';
  if v_result ->> 'verdict' = 'unauthorized' then return v_result; end if;
  update podbase_private.attempts set next_check_at = v_now + interval '15 s'
    where id = v_attempt.id and next_check_at > v_now + interval '15 s';
  if exists (
    select from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id and t.finished_at is null
    where a.id = v_attempt.id and a.provider_id is not null
  ) then
    v_result := v_result
      || jsonb_build_object('poll', podbase_private.look_ups(array[v_attempt.id]) -> 0);
  end if;
  return v_result;
end $$;

-- What reconcile says at the end of each pass: {ms, submitted, polled, canceled, checked, filesDeleted, refused, failed, error?,
-- unanswered: [{attempt, call: status | cancel, retryAfterMs?}]}. Writes the heartbeat "reconcile".
--   unanswered  RunPod gave no answer: asked again as it wishes, else after about first_poll_ms, and never later than the
--               endpoint's max_poll_ms. What nobody has had an answer about until half an hour after its ttl is lost, and
--               canceled no more: RunPod has forgotten it.
--   refused     answers that refused all our keys, or know no such endpoint for them: alert auth
-- Alert cron_silent when the clock itself has stopped, which nobody but a caller from outside can notice.
-- Emits one version for each task whose attempt is lost. Caller: service_role. Locks: the jobs of what is lost in
-- the order of their ids, then the attempts that nobody else holds, each followed by what is kept of deleted ones.
create function podbase_private.record_pass(pass jsonb) returns void
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  r record;
  v_attempt podbase_private.attempts;
  v_endpoint podbase_private.endpoints;
  v_wait interval;
  v_now timestamptz := podbase_private.now();
begin
  for r in
    select x.attempt, x.call, coalesce(x."retryAfterMs", 0) * interval '1 ms' as pause,
      x.call is distinct from 'cancel' and forgotten.it as lost, forgotten.it as forgotten
    from jsonb_to_recordset(coalesce(pass -> 'unanswered', '[]')) as x (attempt uuid, call text, "retryAfterMs" int)
    cross join lateral (select exists (
      select from podbase_private.attempts a join podbase_private.endpoints e on e.name = a.endpoint
      where a.id = x.attempt
        and a.created_at + e.ttl_ms * interval '1 ms' + interval '30 minutes' < v_now)) as forgotten (it)
    -- Those whose jobs are locked come first: nobody waits for a job who holds an attempt.
    order by lost desc, (select a.job_id from podbase_private.attempts a where a.id = x.attempt), x.attempt
  loop
    if r.lost then
      perform podbase_private.take_report(
        jsonb_build_object('attempt', r.attempt, 'source', 'poll', 'status', 'NOT_FOUND'));
      continue;
    end if;
    select * into v_attempt from podbase_private.attempts where id = r.attempt for update skip locked;
    if v_attempt.id is null then
      update podbase_private.orphans
        set due_at = v_now + least(greatest(r.pause, interval '30 s'), interval '10 minutes')
        where attempt_id = r.attempt and r.call = 'cancel';
      continue;
    end if;
    if r.call = 'cancel' then
      update podbase_private.attempts
        set cancel_requested_at = v_now + least(greatest(r.pause, interval '30 s'), interval '10 minutes'),
          cancel_done_at = case when r.forgotten then v_now end
        where id = r.attempt and cancel_done_at is null;
      continue;
    end if;
    select * into strict v_endpoint from podbase_private.endpoints where name = v_attempt.endpoint;
    v_wait := least(greatest(r.pause, v_endpoint.first_poll_ms * (0.85 + 0.3 * random()) * interval '1 ms'),
      v_endpoint.max_poll_ms * interval '1 ms');
    update podbase_private.attempts set next_check_at = v_now + v_wait, polls = greatest(0, polls - 1)
      where id = r.attempt and state in ('in_queue', 'in_progress');
  end loop;

  insert into podbase_private.heartbeats (name, at, detail)
  values ('reconcile', v_now, pass || jsonb_build_object(
    'unanswered', jsonb_array_length(coalesce(pass -> 'unanswered', '[]'))))
  on conflict (name) do update set at = excluded.at, detail = excluded.detail;
  if (pass ->> 'refused')::int > 0 then
    perform podbase_private.alert('auth', 'RunPod', null, pass - 'unanswered');
  end if;
  if exists (select from podbase_private.heartbeats where name = 'retain' and at < v_now - interval '5 minutes') then
    perform podbase_private.alert('cron_silent', 'podbase-tick', null, jsonb_build_object(
      'lastTick', (select at from podbase_private.heartbeats where name = 'retain'),
      'pg_cron', to_regclass('cron.job') is not null));
  end if;
end $$;

-- Whether a call of reconcile would find anything to do.
create function podbase_private.work_is_due() returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  return (
    select podbase_private.claimable()
      or exists (select from podbase_private.attempts
                 where next_check_at <= podbase_private.now() and state in ('in_queue', 'in_progress')
                   and provider_id is not null)
      or exists (select from podbase_private.attempts
                 where cancel_requested_at <= podbase_private.now() and cancel_done_at is null
                   and provider_id is not null)
      or exists (select from podbase_private.orphans where due_at <= podbase_private.now())
      or exists (select from podbase_private.files_to_delete where due_at <= podbase_private.now())
      or podbase_private.health_is_due());
end $$;

-- What reconcile cannot be woken without and the database lacks: extensions, and secrets of Vault by name.
create function podbase_private.missing_parts(p_url text, p_key text) returns text[]
language plpgsql stable set search_path = '' as $$
begin
  return array_remove(array[
    case when to_regnamespace('net') is null or to_regproc('net.http_post') is null then 'pg_net' end,
    case when to_regclass('vault.decrypted_secrets') is null then 'supabase_vault' end,
    case when p_url is null then 'podbase_project_url' end,
    case when p_key is null then 'podbase_secret_key' end], null);
end $$;

-- The project's URL and a secret key, from Vault by name; null what is not there, or empty.
create function podbase_private.wake_secrets(out url text, out key text)
language plpgsql stable set search_path = '' as $$
begin
  if to_regclass('vault.decrypted_secrets') is null then return; end if;
  select nullif(decrypted_secret, '') into url from vault.decrypted_secrets where name = 'podbase_project_url';
  select nullif(decrypted_secret, '') into key from vault.decrypted_secrets where name = 'podbase_secret_key';
end $$;

-- While nothing is due: says in the heartbeat "wake" whether reconcile could be called if something were, when that is not what
-- it says already. So whoever sets the project up knows before the first job. Caller: tick().
create function podbase_private.check_wake() returns void
language plpgsql set search_path = '' as $$
declare v_missing text[];
begin
  select podbase_private.missing_parts(s.url, s.key) into v_missing from podbase_private.wake_secrets() s;
  if v_missing = '{}' and not exists (
    select from podbase_private.heartbeats where name = 'wake' and detail -> 'missing' <> '[]') then return; end if;
  insert into podbase_private.heartbeats as h (name, at, detail)
  values ('wake', podbase_private.now(), jsonb_build_object('ok', v_missing = '{}', 'missing', v_missing))
  on conflict (name) do update set at = excluded.at, detail = h.detail - '{dueSince,error}'::text[] || excluded.detail
    where h.detail -> 'missing' is distinct from excluded.detail -> 'missing';
end $$;

-- Asks the reconcile function to look, through pg_net, after this transaction commits. Only a hint: it may be lost
-- or doubled. The project's URL and a secret key come from Vault by name. What is missing, and what became of the last
-- call, stands in the heartbeat "wake", because cron would report success all the same:
--   {ok, missing, dueSince, request?: pg_net's id of the open call, error?, answer?: {status, error, at}, failures?}
-- Alerts wake_broken (something is missing) and reconcile_silent (work due for five minutes, and no pass ended since).
create function podbase_private.wake() returns void
language plpgsql set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_url text;
  v_key text;
  v_last podbase_private.heartbeats;
  v_missing text[];
  v_due_since timestamptz;
  v_detail jsonb;
begin
  select url, key into v_url, v_key from podbase_private.wake_secrets();
  v_missing := podbase_private.missing_parts(v_url, v_key);
  select * into v_last from podbase_private.heartbeats where name = 'wake';
  -- Since then a tick has found work each time, and no pass has ended.
  v_due_since := (v_last.detail ->> 'dueSince')::timestamptz;
  if v_due_since is null or v_last.at < v_now - interval '1 minute' or v_due_since > v_now
    or exists (select from podbase_private.heartbeats where name = 'reconcile' and at >= v_due_since) then
    v_due_since := v_now;
  end if;
  v_detail := coalesce(v_last.detail, '{}') - '{request,error}'::text[] || jsonb_build_object(
    'ok', v_missing = '{}', 'missing', v_missing, 'dueSince', v_due_since);

  if v_missing = '{}' then
    begin
      v_detail := v_detail || jsonb_build_object('request', net.http_post(
        url := rtrim(v_url, '/') || '/functions/v1/reconcile', body := '{}'::jsonb,
        headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', v_key),
        timeout_milliseconds := 5000));
    -- A tick has healed much by now, and a URL that pg_net refuses must not undo that.
    exception when others then
      v_detail := v_detail || jsonb_build_object('ok', false, 'error', sqlerrm);
    end;
  end if;
  insert into podbase_private.heartbeats (name, at, detail) values ('wake', v_now, v_detail)
  on conflict (name) do update set at = excluded.at, detail = excluded.detail;

  if not (v_detail -> 'ok')::boolean then
    perform podbase_private.alert('wake_broken', 'reconcile', null, v_detail);
  end if;
  if v_due_since < v_now - interval '5 minutes' then
    perform podbase_private.alert('reconcile_silent', 'reconcile', null, v_detail);
  end if;
end $$;

-- Reads what became of the last call of reconcile, if that is not known yet. Alert wake_failed when it was refused (401:
-- podbase_secret_key is no secret key of the project; 404: the function is not deployed) or failed three times in a row.
-- A time-out alone says little: a function that has to start first may answer later than pg_net waits, and works all the
-- same. Caller: tick().
create function podbase_private.hear_wake() returns void
language plpgsql set search_path = '' as $$
declare
  v_last podbase_private.heartbeats;
  v_answer record;
  v_failures int;
begin
  select * into v_last from podbase_private.heartbeats where name = 'wake' and detail ? 'request';
  if v_last.name is null or to_regclass('net._http_response') is null then return; end if;
  -- Its only index is on created.
  select r.status_code, r.error_msg, r.created into v_answer from net._http_response r
    where r.created > pg_catalog.now() - interval '10 minutes' and r.id = (v_last.detail ->> 'request')::bigint;
  if not found then return; end if;
  v_failures := case when v_answer.status_code < 400 then 0
                     else coalesce((v_last.detail ->> 'failures')::int, 0) + 1 end;
  v_last.detail := (v_last.detail - 'request') || jsonb_build_object('failures', v_failures,
    'answer', jsonb_build_object('status', v_answer.status_code, 'error', v_answer.error_msg, 'at', v_answer.created));
  -- Another wake in the meantime knows better.
  update podbase_private.heartbeats set detail = v_last.detail where name = 'wake' and at = v_last.at;
  if v_answer.status_code in (401, 403, 404) or v_failures >= 3 then
    perform podbase_private.alert('wake_failed', 'reconcile', null, v_last.detail);
  end if;
end $$;

-- As podbase_private.record_hint. Caller: service_role.
create function podbase.record_hint(report jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_hint(report);
end $$;

-- As podbase_private.record_pass. Caller: service_role.
create function podbase.record_pass(pass jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  perform podbase_private.record_pass(pass);
end $$;
