-- One piece of work for the same request twice (plan.reuse: {scope, ttlMs}), off unless a plan asks for it. The same is: the
-- same kind, input and tasks. A job for later (runAt) neither takes part nor is waited for.
--
-- Scope user: the user gets the job again that they have under way and did not cancel, or completed less than ttlMs ago.
-- Scope global: somebody else's job serves too, but nobody ever sees another's row. Who asks second gets a job of their own,
-- a copy: it waits, queued, while the first one (its leader) is under way, and ends with it; or it is completed at once. Its
-- artifacts are the leader's files, at the leader's paths, which its owner may read as long as the copy exists; so the paths
-- tell who asked first by id. If the leader ends without a result that another try may bring, one of those that wait is
-- started in its place and the others wait for that one.
--
-- Lock order: leader, then reusable, then copies in the order of their jobs' ids. A copy that waits has no attempts, so
-- nobody who holds it ever waits for a leader.

-- Jobs that show another user's result. By the leader's job, so that one user gets one copy of it.
create table podbase_private.copies (
  job_id uuid primary key references podbase.jobs (id) on delete cascade,
  user_id uuid not null,
  -- Whose result it is or will be; it may be deleted since.
  leader_id uuid not null,
  key bytea not null,
  waiting boolean not null default true
);
create index copies_of_leader on podbase_private.copies (leader_id, user_id);
create index copies_waiting on podbase_private.copies (leader_id) where waiting;
alter table podbase_private.copies enable row level security;

-- Further idempotency keys of a job: those of requests that it stood in for.
create table podbase_private.other_keys (
  user_id uuid not null,
  idempotency_key text not null,
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  primary key (user_id, idempotency_key)
);
create index other_keys_of_job on podbase_private.other_keys (job_id);
alter table podbase_private.other_keys enable row level security;

-- Under whose name results for everybody are kept in podbase_private.reusable.
create function podbase_private.everybody() returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return '00000000-0000-0000-0000-000000000000';
end $$;

-- What submit_job answers where a job stands in for this request: {job, created, claims}, created being true for a new copy.
-- Else null, and p_job is registered for later requests. Any number of the same requests at once get one job to work on.
-- An idempotency key stays with the job that its first request was given: SQLSTATE PB001 for another request with it.
-- Called by submit_job. Locks: the job that stands in, or the registered key.
create function podbase_private.reuse(p_request jsonb, p_job uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_user uuid := (p_request ->> 'user')::uuid;
  v_owner uuid := case p_request #>> '{plan,reuse,scope}' when 'global' then podbase_private.everybody() else v_user end;
  v_key bytea := sha256(convert_to(
    jsonb_build_array(p_request -> 'kind', p_request -> 'input', p_request #> '{plan,tasks}')::text, 'UTF8'));
  v_since timestamptz := podbase_private.now()
    - (p_request #>> '{plan,reuse,ttlMs}')::numeric::double precision * interval '1 ms';
  v_first podbase.jobs;
  v_id uuid;
begin
  perform from podbase_private.other_keys
    where user_id = v_user and idempotency_key = p_request ->> 'idempotencyKey';
  if found then
    return jsonb_build_object(
      'job', podbase_private.job_json(podbase_private.job_of_key(p_request)), 'created', false, 'claims', '[]'::jsonb);
  end if;
  loop
    insert into podbase_private.reusable (user_id, key, job_id) values (v_owner, v_key, p_job) on conflict do nothing;
    if found then return null; end if;
    select job_id into v_id from podbase_private.reusable where user_id = v_owner and key = v_key;
    select * into v_first from podbase.jobs where id = v_id for update;
    -- While the lock was waited for it may have been deleted, or another one registered.
    exit when v_first.id is not null and exists (
      select from podbase_private.reusable where user_id = v_owner and key = v_key and job_id = v_id);
  end loop;
  if (v_first.phase = 'canceling' and v_owner = v_user) or (v_first.finished_at is not null
    and (v_first.status <> 'completed' or v_first.finished_at < v_since or v_first.trimmed_at is not null)) then
    update podbase_private.reusable set job_id = p_job where user_id = v_owner and key = v_key;
    return null;
  end if;
  -- Who cancels and asks again is served like everybody else who asked for what is now being canceled.
  if v_first.user_id <> v_user or v_first.phase = 'canceling' then
    select c.job_id into v_id from podbase_private.copies c join podbase.jobs j on j.id = c.job_id
      where c.leader_id = v_first.id and c.user_id = v_user and j.trimmed_at is null
        and j.status not in ('failed', 'canceled') and j.phase <> 'canceling'
      limit 1;
    if not found then
      return podbase_private.follow(p_request, p_job, v_first, v_key);
    end if;
  end if;
  if p_request ->> 'idempotencyKey' is not null then
    insert into podbase_private.other_keys values (v_user, p_request ->> 'idempotencyKey', v_id) on conflict do nothing;
    -- Somebody may have been faster, and with another request.
    v_id := podbase_private.job_of_key(p_request);
  end if;
  return jsonb_build_object('job', podbase_private.job_json(v_id), 'created', false, 'claims', '[]'::jsonb);
end $$;

-- Makes a copy of p_leader, whose row is locked, for the user of p_request; completes it if the leader is. Returns what
-- submit_job does. Emits version 1, and one for each task of a completed leader. SQLSTATEs PB001, PB008, PB009 as of
-- submit_job.
create function podbase_private.follow(p_request jsonb, p_job uuid, p_leader podbase.jobs, p_key bytea) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_job podbase.jobs;
  v_now timestamptz := podbase_private.now();
begin
  insert into podbase.jobs (id, user_id, kind, input, idempotency_key, progress, task_count, created_at, updated_at)
  values (p_job, (p_request ->> 'user')::uuid, p_request ->> 'kind', p_request -> 'input',
    p_request ->> 'idempotencyKey', 0, jsonb_array_length(p_request #> '{plan,tasks}'), v_now, v_now)
  on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
  returning * into v_job;
  if v_job.id is null then
    return jsonb_build_object(
      'job', podbase_private.job_json(podbase_private.job_of_key(p_request)), 'created', false, 'claims', '[]'::jsonb);
  end if;
  perform podbase_private.check_quota(v_job.user_id, array[p_job]);
  perform podbase_private.announce(v_job, 1, null, 'user', 'submitted');
  insert into podbase_private.copies (job_id, user_id, leader_id, key) values (p_job, v_job.user_id, p_leader.id, p_key);
  perform podbase_private.copy_tasks(v_job, p_leader, false, (-coalesce((p_request ->> 'priority')::numeric::int, 0))::smallint);
  if p_leader.finished_at is not null then
    perform podbase_private.adopt(p_job, p_leader.id);
  end if;
  return jsonb_build_object('job', podbase_private.job_json(p_job), 'created', true, 'claims', '[]'::jsonb);
end $$;

-- Gives a copy its leader's tasks as a new job has them, in no queue: those of the plan, or (p_items) those of its maps.
-- The copy's row must be locked, or new.
create function podbase_private.copy_tasks(
  p_job podbase.jobs, p_leader podbase.jobs, p_items boolean, p_rank smallint
) returns void
language plpgsql set search_path = '' as $$
begin
  with made as (
    insert into podbase.tasks (job_id, user_id, name, status, created_at, updated_at)
    select p_job.id, p_job.user_id, t.name,
      case when s.item_index is not null or (s.after = '{}' and s.map is null) then 'queued' else 'blocked'
        end::podbase.task_status,
      p_job.created_at + (t.created_at - p_leader.created_at), p_job.created_at
    from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
    where t.job_id = p_leader.id and (s.item_index is not null) = p_items
    returning id, name
  )
  insert into podbase_private.task_schedule (task_id, job_id, user_id, route, rank, after, artifacts, optional,
    submit_policy, max_attempts, reroute, map, item_index, item)
  select made.id, p_job.id, p_job.user_id, s.route, p_rank, s.after, s.artifacts, s.optional, s.submit_policy,
    s.max_attempts, s.reroute, s.map, s.item_index, s.item
  from made
  join podbase.tasks t on t.job_id = p_leader.id and t.name = made.name
  join podbase_private.task_schedule s on s.task_id = t.id;
end $$;

-- Ends a copy as its leader has ended: what is still open in it takes over status, output, error and artifacts. Emits one
-- version for each such task. The rows of both jobs must be locked.
create function podbase_private.adopt(p_job uuid, p_leader uuid) returns void
language plpgsql set search_path = '' as $$
declare
  v_job podbase.jobs;
  v_leader podbase.jobs;
  v_tasks uuid[];
  v_now timestamptz := podbase_private.now();
begin
  select * into strict v_job from podbase.jobs where id = p_job;
  select * into strict v_leader from podbase.jobs where id = p_leader;
  if v_leader.task_count > v_job.task_count then
    perform podbase_private.copy_tasks(v_job, v_leader, true, (
      select rank from podbase_private.task_schedule s join podbase.tasks t on t.id = s.task_id
      where t.job_id = p_job limit 1));
    update podbase.jobs set task_count = v_leader.task_count where id = p_job;
    update podbase_private.task_schedule s set expanded = true
      from podbase.tasks t where t.job_id = p_job and s.task_id = t.id and s.map is not null;
  end if;
  with taken as (
    update podbase.tasks t set
      status = l.status, phase = 'done', version = t.version + 1, output = l.output, error = l.error,
      progress = l.progress, notice = l.notice, finished_at = v_now, updated_at = v_now
    from podbase.tasks l
    where t.job_id = p_job and t.finished_at is null and l.job_id = p_leader and l.name = t.name
    returning t.id, l.id as leader_id, t.created_at
  ), files as (
    insert into podbase.artifacts
      (job_id, task_id, user_id, task, name, path, content_type, bytes, sha256, created_at)
    select p_job, taken.id, v_job.user_id, a.task, a.name, a.path, a.content_type, a.bytes, a.sha256, v_now
    from taken join podbase.artifacts a on a.job_id = p_leader and a.task_id = taken.leader_id
  )
  select array_agg(id order by created_at) into v_tasks from taken;
  update podbase_private.copies set waiting = false where job_id = p_job;
  perform podbase_private.publish(p_job, v_tasks, 'engine', 'result shared');
end $$;

-- Makes a waiting copy work for itself: returns its tasks that are ready now, for the caller to publish, and '{}' for any
-- other job. The job's row must be locked.
create function podbase_private.detach(p_job uuid) returns uuid[]
language plpgsql set search_path = '' as $$
declare v_ready uuid[];
begin
  update podbase_private.copies set waiting = false where job_id = p_job and waiting;
  if not found then return '{}'; end if;
  with ready as (
    update podbase.tasks set version = version + 1, updated_at = podbase_private.now()
    where job_id = p_job and status = 'queued' returning id, created_at
  )
  select coalesce(array_agg(id order by created_at), '{}') into v_ready from ready;
  perform podbase_private.enqueue_many(v_ready);
  return array(select distinct unnest(v_ready || podbase_private.unblock(p_job)));
end $$;

-- What becomes of the copies that wait for a job that has ended, or is deleted (p_job null): they end with it, if it
-- completed or failed for good; else the first of them starts, and the others wait for that one. Called by publish() and
-- when jobs are deleted, with the leader's row locked. Locks: the copies, in the order of their ids. Emits one version for
-- each changed task of theirs.
create function podbase_private.release_copies(p_leader uuid, p_job podbase.jobs) returns void
language plpgsql set search_path = '' as $$
declare
  v_copy podbase_private.copies;
  v_next uuid;
begin
  for v_copy in
    select * from podbase_private.copies where leader_id = p_leader and waiting order by job_id
  loop
    perform from podbase.jobs where id = v_copy.job_id for update;
    -- Its owner may have canceled it meanwhile.
    continue when not exists (select from podbase_private.copies where job_id = v_copy.job_id and waiting);
    if p_job.status = 'completed' or (p_job.status = 'failed' and exists (
      select from podbase_private.failure_classes where class = p_job.error ->> 'code' and not retry)) then
      perform podbase_private.adopt(v_copy.job_id, p_leader);
    elsif v_next is not null then
      update podbase_private.copies set leader_id = v_next where job_id = v_copy.job_id;
    else
      v_next := v_copy.job_id;
      insert into podbase_private.reusable (user_id, key, job_id)
      values (podbase_private.everybody(), v_copy.key, v_next)
      on conflict (user_id, key) do update set job_id = excluded.job_id;
      perform podbase_private.publish(v_next, podbase_private.detach(v_next), 'engine', 'started by itself');
      delete from podbase_private.copies where job_id = v_next;
    end if;
  end loop;
end $$;

-- Trigger: copies that wait for a deleted job go on without it.
create function podbase_private.release_copies_of_gone() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
begin
  perform podbase_private.release_copies(l.leader_id, null)
  from (select distinct c.leader_id from gone join podbase_private.copies c on c.leader_id = gone.id and c.waiting
        order by 1) as l;
  return null;
end $$;
create trigger release_copies after delete on podbase.jobs referencing old table as gone
  for each statement execute function podbase_private.release_copies_of_gone();
