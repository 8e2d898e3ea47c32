-- Who may do what. Everything is revoked first, then opened by name, since projects differ in what they grant by
-- themselves (supabase.com/changelog: new tables and functions are no longer exposed automatically).

revoke all on all tables in schema podbase, podbase_private from public, anon, authenticated, service_role;
revoke all on all functions in schema podbase, podbase_private from public, anon, authenticated, service_role;

grant select on podbase.jobs, podbase.tasks, podbase.artifacts to authenticated, service_role;

create policy "owners read their jobs" on podbase.jobs
  for select to authenticated using (user_id = (select auth.uid()));
create policy "owners read their tasks" on podbase.tasks
  for select to authenticated using (user_id = (select auth.uid()));
create policy "owners read their artifacts" on podbase.artifacts
  for select to authenticated using (user_id = (select auth.uid()));

grant execute on function
  podbase.my_jobs(int),
  podbase.cancel_job(uuid), podbase.cancel_task(uuid), podbase_private.cancel_mine(uuid, uuid),
  podbase.retry_job(uuid), podbase.retry_task(uuid), podbase_private.retry_mine(uuid, uuid),
  podbase.queue_position(uuid), podbase_private.my_queue_position(uuid),
  podbase.explain_job(uuid), podbase_private.explain_my_job(uuid)
  to authenticated;
grant execute on function
  podbase.submit_job(jsonb), podbase_private.submit_job(jsonb),
  podbase.submit_jobs(jsonb), podbase_private.submit_jobs(jsonb),
  podbase.claim_tasks(int), podbase_private.claim(int),
  podbase.record_submissions(jsonb), podbase_private.record_submissions(jsonb),
  podbase.record_report(jsonb), podbase_private.record_report(jsonb),
  podbase.record_reports(jsonb), podbase_private.record_reports(jsonb),
  podbase.claim_polls(int), podbase_private.claim_polls(int),
  podbase.claim_cancels(int), podbase_private.claim_cancels(int),
  podbase.record_cancels(uuid[]), podbase_private.record_cancels(uuid[]),
  podbase.claim_file_deletes(int), podbase_private.claim_file_deletes(int),
  podbase.record_file_deletes(bigint[]), podbase_private.record_file_deletes(bigint[]),
  podbase.record_hint(jsonb), podbase_private.record_hint(jsonb),
  podbase.record_pass(jsonb), podbase_private.record_pass(jsonb),
  podbase.claim_health(int), podbase_private.claim_health(int),
  podbase.record_health(jsonb), podbase_private.record_health(jsonb),
  podbase.configure(jsonb), podbase_private.configure(jsonb),
  podbase.operator_cancel_job(uuid), podbase.operator_cancel_task(uuid), podbase_private.cancel_any(uuid, uuid),
  podbase.operator_retry_job(uuid), podbase.operator_retry_task(uuid), podbase_private.retry_any(uuid, uuid),
  podbase.operator_explain_job(uuid), podbase_private.operator_explain_job(uuid)
  to service_role;

-- Artifacts: private bucket; owners read their own folder and what their artifacts name, which for a shared result is
-- another's file (plan.reuse). Only the service role writes (through signed upload URLs).
insert into storage.buckets (id, name, public) values ('podbase', 'podbase', false) on conflict (id) do nothing;
create policy "owners read their artifacts' files" on storage.objects for select to authenticated
  using (bucket_id = 'podbase' and ((storage.foldername(name))[1] = (select auth.uid())::text or exists (
    select from podbase.artifacts a where a.path = objects.name and a.user_id = (select auth.uid()))));
