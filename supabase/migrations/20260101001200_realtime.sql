-- Watching. One private topic a user, podbase:<user id>; the policy compares strings and needs no join, because it is
-- evaluated at every join of a channel (supabase.com/docs/guides/realtime/authorization).
create policy "users hear their own podbase topic" on realtime.messages for select to authenticated
  using (extension = 'broadcast' and (select realtime.topic()) = 'podbase:' || (select auth.uid())::text);

-- Apps may also subscribe to the rows themselves.
alter publication supabase_realtime add table podbase.jobs, podbase.tasks;
