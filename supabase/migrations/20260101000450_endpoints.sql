-- How much work an endpoint may take now: its cap, its rate, its circuit breaker.

-- How long after the p_polls-th look at RunPod the next one follows: half as long again each time, at most max_poll_ms, never
-- more than 10 minutes, since RunPod forgets results 30 minutes after the end
-- (docs.runpod.io/serverless/endpoints/send-requests). 0: after the submission, or the worker's start.
-- Caller: the functions of reports. Locks: none.
create function podbase_private.next_poll(p_endpoint text, p_polls int) returns interval
language plpgsql stable set search_path = '' as $$
begin
  return (
    select least(max_poll_ms, first_poll_ms * 1.5 ^ least(p_polls, 30)) * interval '1 ms'
    from podbase_private.endpoints where name = p_endpoint);
end $$;

-- How long a POST to an endpoint that had no clear answer waits for evidence that RunPod has the job: the endpoint's
-- evidence_window_ms, else as long as 99 of 100 of its newest 300 jobs waited for a worker, from 2 minutes to 30.
-- Caller: record_submissions() and expire(). Locks: none.
create function podbase_private.evidence_window(p_endpoint podbase_private.endpoints) returns interval
language plpgsql stable set search_path = '' as $$
begin
  return interval '1 ms' * coalesce(p_endpoint.evidence_window_ms, (
    select least(1800000, greatest(120000, percentile_disc(0.99) within group (order by delay_ms))) from (
      select a.delay_ms from podbase_private.attempts a where a.endpoint = p_endpoint.name
      order by a.created_at desc limit 300) as newest));
end $$;

-- Starts of the last moment are counted by a sequence for each endpoint: it needs no row lock, so claims never wait for
-- each other, and being unlogged, no log. A token bucket: what the sequence is ahead of a clock that runs at the refill
-- rate is what is used up. A twelfth of the limit a second plus a sixth at once stays under the limit in any ten
-- seconds.

-- Tasks that an endpoint may take now: none while its breaker is open, one when it is time to try it again, else as many
-- as its cap and its rate leave. Live attempts are counted by their partial index and no further than the cap: a counter
-- row would be written at every claim and every end and be what everybody waits for. A bucket that is ahead by more
-- than it holds comes of a clock that was set back; then the count starts anew.
create function podbase_private.room(p_endpoint podbase_private.endpoints, p_now timestamptz) returns int
language plpgsql volatile set search_path = '' as $$
declare
  v_burst int := greatest(1, p_endpoint.max_runs_per_10s / 6);
  v_ahead bigint;
  v_room int;
begin
  if not p_endpoint.enabled or (p_endpoint.breaker <> 'closed' and p_endpoint.breaker_until > p_now) then
    return 0;
  end if;
  v_ahead := coalesce(pg_catalog.pg_sequence_last_value(('podbase_private.bucket_' || p_endpoint.id)::regclass), 0)
    - floor(extract(epoch from p_now) * p_endpoint.max_runs_per_10s / 12)::bigint;
  select p_endpoint.max_in_flight - count(*) into v_room from (
    select from podbase_private.attempts a
    where a.endpoint = p_endpoint.name and a.next_check_at is not null limit p_endpoint.max_in_flight) as live;
  return least(v_room,
    case when v_ahead between 0 and 2 * v_burst then greatest(0, v_burst - v_ahead) else v_burst end,
    case when p_endpoint.breaker = 'closed' then v_room else 1 end);
end $$;

-- Takes p_count starts from an endpoint's bucket.
create function podbase_private.spend(p_endpoint podbase_private.endpoints, p_count int, p_now timestamptz) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_bucket regclass := 'podbase_private.bucket_' || p_endpoint.id;
  v_ahead bigint := floor(extract(epoch from p_now) * p_endpoint.max_runs_per_10s / 12)::bigint;
begin
  if coalesce(pg_catalog.pg_sequence_last_value(v_bucket), 0)
    between v_ahead and v_ahead + 2 * greatest(1, p_endpoint.max_runs_per_10s / 6) then
    for i in 1 .. p_count loop
      v_ahead := pg_catalog.nextval(v_bucket);
    end loop;
  else
    v_ahead := pg_catalog.setval(v_bucket, v_ahead + p_count);
  end if;
end $$;

-- Takes one start from an endpoint that has plenty of room, and says whether it did. Near its cap or its rate claim() takes
-- turns, and a trial of a broken endpoint is claim()'s too.
create function podbase_private.start_at_once(p_endpoint podbase_private.endpoints, p_now timestamptz) returns boolean
language plpgsql volatile set search_path = '' as $$
declare
  v_bucket regclass;
  v_burst int := p_endpoint.max_runs_per_10s / 6;
  v_refilled bigint;
  v_ahead bigint;
begin
  if not p_endpoint.enabled or p_endpoint.breaker <> 'closed' then return false; end if;
  perform from podbase_private.attempts a where a.endpoint = p_endpoint.name and a.next_check_at is not null
    offset greatest(0, p_endpoint.max_in_flight - 17) limit 1;
  if found then return false; end if;
  v_bucket := 'podbase_private.bucket_' || p_endpoint.id;
  v_refilled := floor(extract(epoch from p_now) * p_endpoint.max_runs_per_10s / 12)::bigint;
  v_ahead := coalesce(pg_catalog.pg_sequence_last_value(v_bucket), 0) - v_refilled;
  if v_ahead between 0 and 2 * v_burst then
    if v_ahead >= v_burst - 16 then return false; end if;
    v_ahead := pg_catalog.nextval(v_bucket);
  elsif v_burst <= 16 then
    return false;
  else
    v_ahead := pg_catalog.setval(v_bucket, v_refilled + 1);
  end if;
  return true;
end $$;

-- A row for whoever operates this; at most one a minute for the same code and subject. Takes no lock that others want.
create function podbase_private.alert(p_code text, p_subject text, p_job uuid, p_detail jsonb) returns void
language plpgsql volatile set search_path = '' as $$
begin
  insert into podbase_private.alerts (at, code, subject, job_id, detail)
    select podbase_private.now(), p_code, p_subject, p_job, p_detail
    where not exists (select from podbase_private.alerts
                      where code = p_code and subject = p_subject and at > podbase_private.now() - interval '1 minute');
end $$;

-- Alerts no_endpoint for each route on which somebody has waited for two minutes though none of its endpoints, if it has
-- any left, is enabled. One look at an index for each route that somebody waits on. Caller: tick().
create function podbase_private.alert_unserved() returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform podbase_private.alert('no_endpoint', w.route, null, jsonb_build_object('since', w.since, 'disabled', array(
      select endpoint from podbase_private.routes r where r.route = w.route order by r.position)))
  from (
    with recursive waiting as (
      (select s.route, s.ready_since as since from podbase_private.task_schedule s
       where s.ready_key is not null order by s.route, s.ready_since limit 1)
      union all
      select next.route, next.since from waiting cross join lateral (
        select s.route, s.ready_since as since from podbase_private.task_schedule s
        where s.ready_key is not null and s.route > waiting.route order by s.route, s.ready_since limit 1) as next
    )
    select route, since from waiting
  ) as w
  where w.since <= podbase_private.now() - interval '2 minutes' and not exists (
    select from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint and e.enabled
    where r.route = w.route);
end $$;

-- Records what an endpoint showed of itself: p_part submit or run, fine or not. Failures in a row of either open the
-- breaker for a pause that doubles each time it opens again; then one task tries (half_open), and its success closes
-- it. Locks the endpoint's row if something changes, so call it after all jobs are done with.
create function podbase_private.observe_endpoint(p_endpoint text, p_part text, p_fine boolean) returns void
language plpgsql set search_path = '' as $$
declare
  v_endpoint podbase_private.endpoints;
  v_settings podbase_private.settings;
  v_now timestamptz := podbase_private.now();
begin
  select * into v_endpoint from podbase_private.endpoints where name = p_endpoint;
  if p_fine and v_endpoint.breaker = 'closed'
    and (case p_part when 'submit' then v_endpoint.submit_failures else v_endpoint.run_failures end) = 0 then
    return;
  end if;
  select * into v_settings from podbase_private.settings where single;
  update podbase_private.endpoints set
      submit_failures = case when p_part <> 'submit' then submit_failures when p_fine then 0 else submit_failures + 1 end,
      run_failures = case when p_part <> 'run' then run_failures when p_fine then 0 else run_failures + 1 end
    where name = p_endpoint returning * into v_endpoint;

  if greatest(v_endpoint.submit_failures, v_endpoint.run_failures) < v_settings.breaker_threshold then
    update podbase_private.endpoints set breaker = 'closed', breaker_trips = 0, breaker_until = null
      where name = p_endpoint and breaker <> 'closed';
  elsif not p_fine and (v_endpoint.breaker <> 'open' or v_endpoint.breaker_until <= v_now) then
    update podbase_private.endpoints set
        breaker = 'open', breaker_trips = breaker_trips + 1,
        breaker_until = v_now + least(interval '5 minutes', v_settings.breaker_pause * 2 ^ least(breaker_trips, 10))
      where name = p_endpoint;
    perform podbase_private.alert('breaker_open', p_endpoint, null, jsonb_build_object(
      'submitFailures', v_endpoint.submit_failures, 'runFailures', v_endpoint.run_failures));
  end if;
end $$;
