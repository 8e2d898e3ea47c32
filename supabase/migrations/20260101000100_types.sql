-- Schemas, extensions and the words every other file uses.
--
--   podbase          exposed through the API: what a user may see and ask for
--   podbase_private  never exposed: attempts, tokens, provider ids, the engine
--   podbase_ops      never exposed: views for dashboards, read by role podbase_ops
--
-- Own schemas: an install collides with no table of the app, and an uninstall is three drops.

create extension if not exists pg_cron with schema pg_catalog;
create extension if not exists pg_net with schema extensions;
create extension if not exists supabase_vault with schema vault;

create schema podbase;
create schema podbase_private;
create schema podbase_ops;

revoke all on schema podbase, podbase_private, podbase_ops from public;
grant usage on schema podbase to authenticated, service_role;
-- The invoker wrappers in podbase call definer functions in podbase_private, so their callers need usage there.
-- No table of that schema is granted to them.
grant usage on schema podbase_private to authenticated, service_role;

create type podbase.job_status as enum ('queued', 'processing', 'completed', 'failed', 'canceled');
create type podbase.task_status as enum ('blocked', 'queued', 'processing', 'completed', 'failed', 'canceled');

-- What to tell the person who waits. Finer than the status, and never an error by itself.
create type podbase.phase as enum (
  'queued', 'submitting', 'confirming', 'waiting_for_worker', 'running', 'retrying', 'canceling', 'done'
);

create type podbase_private.attempt_state as enum (
  'claimed', 'submit_unknown', 'in_queue', 'in_progress',
  'completed', 'failed', 'timed_out', 'lost', 'rejected', 'canceled', 'superseded'
);

-- After a POST to RunPod without a clear answer: buy again after the evidence window, or never.
create type podbase_private.submit_policy as enum ('at_least_once', 'at_most_once');

-- Whether an endpoint is trusted with work: closed as usual, open after failures in a row, half_open while one task
-- tries whether it is well again.
create type podbase_private.breaker_state as enum ('closed', 'open', 'half_open');

-- The clock of the whole engine. A test sets podbase.now for its session or transaction; nobody else may
-- (the API has no way to set it). Everything that compares or stores a time asks here.
create function podbase_private.now() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(nullif(current_setting('podbase.now', true), '')::timestamptz, pg_catalog.now());
end $$;
