-- Files in Storage that nobody has any more. Only the Storage API may delete a file (a row deleted from storage.objects
-- leaves it in the bucket: supabase.com/docs/guides/storage/management/delete-objects), so their paths wait here for
-- reconcile: those of deleted artifacts, and what attempts that ended without completing may have uploaded.

create table podbase_private.files_to_delete (
  id bigint generated always as identity primary key,
  path text not null,
  due_at timestamptz not null,
  -- The task of an attempt without a result: while it is open, that attempt may still complete it.
  task_id uuid
);
create index files_to_delete_due on podbase_private.files_to_delete (due_at);
alter table podbase_private.files_to_delete enable row level security;

-- How long after its end an attempt may still upload: its slots' signed URLs live 2 h
-- (supabase.com/docs/guides/storage/uploads/standard-uploads), and a worker that is told to stop gets no more.
create function podbase_private.uploads_end() returns interval
language plpgsql immutable set search_path = '' as $$
begin
  return interval '3 hours';
end $$;

-- Trigger: the files of deleted artifacts are to go. Whether another's copy still shows them is seen when they are claimed.
create function podbase_private.drop_files() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into podbase_private.files_to_delete (path, due_at) select path, podbase_private.now() from gone;
  return null;
end $$;
create trigger drop_files after delete on podbase.artifacts referencing old table as gone
  for each statement execute function podbase_private.drop_files();

-- What an attempt that ends without completing may have uploaded is to go. Called where such an attempt ends, and not by a
-- trigger: even one whose condition is false costs every update of an attempt half as much again.
create function podbase_private.drop_uploads(p_attempt uuid, p_task uuid) returns void
language plpgsql set search_path = '' as $$
begin
  insert into podbase_private.files_to_delete (path, due_at, task_id)
  select podbase_private.artifact_path(t, p_attempt, d), podbase_private.now() + podbase_private.uploads_end(), p_task
  from podbase_private.task_schedule s join podbase.tasks t on t.id = s.task_id, jsonb_object_keys(s.artifacts) d
  where s.task_id = p_task;
end $$;

-- Trigger: the same for attempts that were alive when their job was deleted. Its name comes before drop_with_tasks, which
-- takes the rows that this one reads.
create function podbase_private.abandon_uploads() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
begin
  insert into podbase_private.files_to_delete (path, due_at)
  select podbase_private.artifact_path(t, a.id, d), podbase_private.now() + podbase_private.uploads_end()
  from gone t
  join podbase_private.attempts a on a.task_id = t.id and a.next_check_at is not null
  join podbase_private.task_schedule s on s.task_id = t.id, jsonb_object_keys(s.artifacts) d;
  return null;
end $$;
create trigger abandon_uploads after delete on podbase.tasks referencing old table as gone
  for each statement execute function podbase_private.abandon_uploads();

-- Takes up to max_files files (at most 1,000) that are to be deleted, not given again for 10 minutes: [{id, path}]. What is
-- not in Storage, or is an artifact's file after all, is forgotten; what belongs to an open task waits. Emits nothing.
-- Caller: service_role. Locks: its own rows, skipping what others hold.
create function podbase_private.claim_file_deletes(max_files int) returns jsonb
language plpgsql volatile security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := podbase_private.now();
  v_file record;
  v_taken jsonb := '[]';
begin
  for v_file in
    select f.id, f.path, f.task_id from podbase_private.files_to_delete f
    where f.due_at <= v_now order by f.due_at limit greatest(0, least(max_files, 1000)) for update skip locked
  loop
    if exists (select from podbase.tasks where id = v_file.task_id and finished_at is null) then
      update podbase_private.files_to_delete set due_at = v_now + podbase_private.uploads_end() where id = v_file.id;
    elsif exists (select from podbase.artifacts where path = v_file.path)
      or not exists (select from storage.objects where bucket_id = 'podbase' and name = v_file.path) then
      delete from podbase_private.files_to_delete where id = v_file.id;
    else
      update podbase_private.files_to_delete set due_at = v_now + interval '10 minutes' where id = v_file.id;
      v_taken := v_taken || jsonb_build_object('id', v_file.id, 'path', v_file.path);
    end if;
  end loop;
  return v_taken;
end $$;

-- Storage has deleted these files (ids of claim_file_deletes), or never had them. Returns how many were still waiting.
-- Emits nothing. Caller: service_role. Locks: its own rows.
create function podbase_private.record_file_deletes(files bigint[]) returns int
language plpgsql security definer set search_path = '' as $$
declare v_count int;
begin
  delete from podbase_private.files_to_delete where id = any (files);
  get diagnostics v_count = row_count;
  return v_count;
end $$;
