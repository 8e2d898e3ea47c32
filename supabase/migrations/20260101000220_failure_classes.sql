-- What to do about a failure, by class: data, not code.
create table podbase_private.failure_classes (
  class text primary key,
  -- Matched against RunPod's error text, case-insensitively, in order of precedence; null: only named in code.
  pattern text,
  precedence int not null default 100,
  retry boolean not null,
  -- Whether it uses up one of the task's max_attempts. What is nobody's fault (network, rate limit, a rotated key)
  -- doesn't: waiting beats failing.
  counts boolean not null default true,
  -- Exponential with full jitter: random between 0 and base * 2^(attempts - 1), at most the cap.
  backoff_base_ms int not null default 2000,
  backoff_cap_ms int not null default 300000,
  -- The next attempt goes to another endpoint of the route, if there is one.
  other_endpoint boolean not null default false,
  -- Somebody should look: a row of podbase_private.alerts.
  alert boolean not null default false,
  -- Counts towards the endpoint's circuit breaker.
  breaker boolean not null default false,
  -- What the user reads.
  message text not null
);

insert into podbase_private.failure_classes
  (class, pattern, precedence, retry, counts, backoff_base_ms, other_endpoint, alert, breaker, message) values
  ('bad_input', '^invalid input', 5, false, true, 0, false, false, false, 'The input was refused.'),
  ('execution_timeout', 'executionTimeout exceeded', 10, false, true, 0, false, false, false,
   'The work took longer than allowed.'),
  ('platform_loss', 'job timed out after \d+ retries', 20, true, true, 2000, true, false, true,
   'The worker was lost.'),
  ('out_of_memory', 'out of memory', 30, true, true, 5000, false, false, false, 'The worker ran out of memory.'),
  ('worker_error', null, 100, true, true, 2000, false, false, false, 'The worker reported an error.'),
  ('invalid_output', null, 100, true, true, 2000, false, true, false, 'The worker returned something unexpected.'),
  ('missing_output', null, 100, true, true, 2000, false, true, false, 'The result did not arrive in storage.'),
  ('canceled_remotely', null, 100, false, true, 0, false, false, false, 'The work was canceled at RunPod.'),
  ('lost', null, 100, true, true, 2000, true, true, true, 'RunPod no longer knows the work.'),
  ('lost_unconfirmed', null, 100, false, true, 0, false, true, false,
   'RunPod never confirmed the work, and it is too dear to buy twice.'),
  -- The breaker has heard of the POST, and the silence since may be that of a cold start.
  ('unconfirmed', null, 100, true, false, 0, false, false, false, 'RunPod never confirmed the work.'),
  ('transient_network', null, 100, true, false, 1000, true, false, true, 'RunPod could not be reached.'),
  ('rate_limited', null, 100, true, false, 2000, true, false, false, 'RunPod asked to slow down.'),
  ('auth', null, 100, true, false, 30000, false, true, true, 'RunPod refused the credentials.'),
  ('unknown_endpoint', null, 100, true, false, 30000, true, true, true, 'RunPod does not know the endpoint.');

-- Everything is closed until 20260101001100_policies.sql opens it.
do $$
declare t record;
begin
  for t in select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('podbase', 'podbase_private') and c.relkind in ('r', 'p')
  loop
    execute format('alter table %I.%I enable row level security', t.nspname, t.relname);
    execute format('revoke all on table %I.%I from public, anon, authenticated, service_role', t.nspname, t.relname);
  end loop;
end $$;
