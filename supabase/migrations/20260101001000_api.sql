-- What may be called through the API: invoker wrappers over the definer functions of podbase_private. Their contracts
-- stand at those functions.

-- As podbase_private.submit_job. Caller: service_role.
create function podbase.submit_job(request jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.submit_job(request);
end $$;

-- As podbase_private.submit_jobs. Caller: service_role.
create function podbase.submit_jobs(requests jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.submit_jobs(requests);
end $$;

-- As podbase_private.claim. Caller: service_role.
create function podbase.claim_tasks(max_tasks int default 50) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.claim(max_tasks);
end $$;

-- As podbase_private.record_submissions. Caller: service_role.
create function podbase.record_submissions(results jsonb) returns int
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_submissions(results);
end $$;

-- As podbase_private.record_report. Caller: service_role.
create function podbase.record_report(report jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_report(report);
end $$;

-- As podbase_private.record_reports. Caller: service_role.
create function podbase.record_reports(reports jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_reports(reports);
end $$;

-- As podbase_private.claim_polls. Caller: service_role.
create function podbase.claim_polls(max_polls int default 50) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.claim_polls(max_polls);
end $$;

-- As podbase_private.claim_cancels. Caller: service_role.
create function podbase.claim_cancels(max_cancels int default 50) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.claim_cancels(max_cancels);
end $$;

-- As podbase_private.record_cancels. Caller: service_role.
create function podbase.record_cancels(attempts uuid[]) returns int
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_cancels(attempts);
end $$;

-- As podbase_private.claim_file_deletes. Caller: service_role.
create function podbase.claim_file_deletes(max_files int default 500) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.claim_file_deletes(max_files);
end $$;

-- As podbase_private.record_file_deletes. Caller: service_role.
create function podbase.record_file_deletes(files bigint[]) returns int
language plpgsql set search_path = '' as $$
begin
  return podbase_private.record_file_deletes(files);
end $$;

-- As podbase_private.configure. Caller: service_role.
create function podbase.configure(config jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  perform podbase_private.configure(config);
end $$;

-- Cancels the caller's job (podbase_private.cancel). SQLSTATE PB005. Caller: authenticated.
create function podbase.cancel_job(job_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.cancel_mine(job_id, null);
end $$;

-- Cancels one task of the caller's (podbase_private.cancel). SQLSTATE PB005. Caller: authenticated.
create function podbase.cancel_task(task_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.cancel_mine(null, task_id);
end $$;

-- Opens the caller's failed or canceled job again (podbase_private.retry). SQLSTATEs PB005, PB006. Caller:
-- authenticated.
create function podbase.retry_job(job_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.retry_mine(job_id, null);
end $$;

-- Opens one task of the caller's again (podbase_private.retry). SQLSTATEs PB005, PB006. Caller: authenticated.
create function podbase.retry_task(task_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.retry_mine(null, task_id);
end $$;

-- Where the caller's job stands in its queue (podbase_private.queue_position). SQLSTATE PB005. Caller: authenticated.
create function podbase.queue_position(job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return podbase_private.my_queue_position(job_id);
end $$;

-- The history of the caller's job in words (podbase_private.explain). SQLSTATE PB005. Caller: authenticated.
create function podbase.explain_job(job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return podbase_private.explain_my_job(job_id);
end $$;

-- As cancel_job, for anybody's job. Caller: service_role.
create function podbase.operator_cancel_job(job_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.cancel_any(job_id, null);
end $$;

-- As cancel_task, for anybody's task. Caller: service_role.
create function podbase.operator_cancel_task(task_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.cancel_any(null, task_id);
end $$;

-- As retry_job, for anybody's job. Caller: service_role.
create function podbase.operator_retry_job(job_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.retry_any(job_id, null);
end $$;

-- As retry_task, for anybody's task. Caller: service_role.
create function podbase.operator_retry_task(task_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return podbase_private.retry_any(null, task_id);
end $$;

-- As explain_job, for anybody's job, with its attempts. Caller: service_role.
create function podbase.operator_explain_job(job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return podbase_private.operator_explain_job(job_id);
end $$;

-- The caller's jobs, newest first, at most 200, with tasks and artifacts: all a just-started app needs. As find_jobs.
-- Caller: authenticated.
create function podbase.my_jobs(max_jobs int default 50) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return podbase.find_jobs(max_jobs := least(max_jobs, 200));
end $$;
