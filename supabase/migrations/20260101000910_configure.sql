-- Sets endpoints, routes and settings from one document: {endpoints: {name: {providerId, maxInFlight?, maxRunsPer10s?,
-- executionTimeoutMs?, ttlMs?, firstPollMs?, maxPollMs?, evidenceWindowMs?, enabled?}}, routes: {route: [endpoint name,
-- …]}, settings: {column of podbase_private.settings: value}, users: {user id: {weight?, maxInFlight?,
-- maxJobsPerMinute?, maxOpenJobs?}}}.
-- Named endpoints are made or changed, named routes are replaced, what is not named stays. Values out of range raise
-- 23514, an unknown endpoint in a route 23503, an unknown key or what is no list PB003 with the path. Caller: service_role.
-- Emits nothing. Locks: one call at a time, and the rows it changes, endpoints in the
-- order of their names.
create function podbase_private.configure(config jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_endpoint int;
  v_name text;
  v_value jsonb;
begin
  perform pg_catalog.pg_advisory_xact_lock(hashtextextended('podbase.configure', 0));
  perform podbase_private.check_keys('', config, '{endpoints,routes,settings,users}');
  for v_name, v_value in select * from jsonb_each(coalesce(config -> 'endpoints', '{}')) loop
    perform podbase_private.check_keys('endpoints.' || v_name, v_value,
      '{providerId,maxInFlight,maxRunsPer10s,executionTimeoutMs,ttlMs,firstPollMs,maxPollMs,evidenceWindowMs,enabled}');
  end loop;
  for v_name, v_value in select * from jsonb_each(coalesce(config -> 'routes', '{}')) loop
    perform podbase_private.check_texts('routes.' || v_name, v_value);
  end loop;
  perform podbase_private.check_keys('settings', coalesce(config -> 'settings', '{}'),
    array(select jsonb_object_keys(to_jsonb(s) - 'single') from podbase_private.settings s));
  for v_name, v_value in select * from jsonb_each(coalesce(config -> 'users', '{}')) loop
    perform podbase_private.check_keys('users.' || v_name, v_value,
      '{weight,maxInFlight,maxJobsPerMinute,maxOpenJobs}');
  end loop;

  insert into podbase_private.endpoints as e (name, provider_id, enabled, max_in_flight, max_runs_per_10s,
    execution_timeout_ms, ttl_ms, first_poll_ms, max_poll_ms, evidence_window_ms)
  select key, value ->> 'providerId', coalesce((value ->> 'enabled')::boolean, true),
    coalesce((value ->> 'maxInFlight')::int, 100), coalesce((value ->> 'maxRunsPer10s')::int, 1000),
    coalesce((value ->> 'executionTimeoutMs')::int, 900000),
    coalesce((value ->> 'ttlMs')::int, 86400000), coalesce((value ->> 'firstPollMs')::int, 30000),
    coalesce((value ->> 'maxPollMs')::int, 600000), (value ->> 'evidenceWindowMs')::int
  from jsonb_each(coalesce(config -> 'endpoints', '{}')) order by key
  on conflict (name) do update set provider_id = excluded.provider_id, enabled = excluded.enabled,
    max_in_flight = excluded.max_in_flight, max_runs_per_10s = excluded.max_runs_per_10s,
    execution_timeout_ms = excluded.execution_timeout_ms, ttl_ms = excluded.ttl_ms,
    first_poll_ms = excluded.first_poll_ms, max_poll_ms = excluded.max_poll_ms,
    evidence_window_ms = excluded.evidence_window_ms;
  for v_endpoint in
    select id from podbase_private.endpoints where (config -> 'endpoints') ? name
  loop
    if to_regclass(format('podbase_private.bucket_%s', v_endpoint)) is null then
      execute format('create unlogged sequence podbase_private.bucket_%s', v_endpoint);
    end if;
  end loop;

  delete from podbase_private.routes where route in (select jsonb_object_keys(coalesce(config -> 'routes', '{}')));
  insert into podbase_private.routes (route, position, endpoint)
  select r.key, e.ordinality, e.value
  from jsonb_each(coalesce(config -> 'routes', '{}')) r,
    jsonb_array_elements_text(r.value) with ordinality as e (value, ordinality);

  if config ? 'settings' then
    update podbase_private.settings s set
        max_in_flight_per_user = n.max_in_flight_per_user, ageing_after = n.ageing_after,
        breaker_threshold = n.breaker_threshold, breaker_pause = n.breaker_pause, keep_jobs = n.keep_jobs,
        keep_payloads = n.keep_payloads, keep_events = n.keep_events, keep_reports = n.keep_reports,
        keep_alerts = n.keep_alerts, max_jobs_per_minute = n.max_jobs_per_minute, max_open_jobs = n.max_open_jobs
      from (select (jsonb_populate_record(old, config -> 'settings')).* from podbase_private.settings old) as n;
  end if;

  insert into podbase_private.user_limits (user_id, weight, max_in_flight, max_jobs_per_minute, max_open_jobs)
  select key::uuid, coalesce((value ->> 'weight')::int, 1), (value ->> 'maxInFlight')::int,
    (value ->> 'maxJobsPerMinute')::int, (value ->> 'maxOpenJobs')::int
  from jsonb_each(coalesce(config -> 'users', '{}'))
  on conflict (user_id) do update set weight = excluded.weight, max_in_flight = excluded.max_in_flight,
    max_jobs_per_minute = excluded.max_jobs_per_minute, max_open_jobs = excluded.max_open_jobs;
end $$;
